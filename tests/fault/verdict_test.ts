import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { publishId } from "../_support/http.ts";
import { type Fault, judge } from "./verdict.ts";
import { Watcher } from "./watcher.ts";

interface Account {
  /** Which of the messages 0 to 3 were seen, in this order. */
  readonly saw: readonly number[];
  /** After how many of these a failover was announced. */
  readonly told?: number;
}

/** What the check makes of a subscriber of four messages. */
async function faultsOf({ saw, told }: Account): Promise<Fault[]> {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const ids: string[] = [];
  for (let i = 0; i < 4; i++) {
    ids.push(await publishId(url, { topic: "t", data: { n: `p-${i}-0` } }));
  }
  const watcher = new Watcher({ urls: [url], topics: ["t"] });
  for (const i of saw) watcher.seen.push({ id: ids[i] ?? "", topic: "t", n: `p-${i}-0`, at: 0 });
  if (told !== undefined) watcher.gaps.push({ reason: "failover", seen: told });
  const evidence = { url, topics: ["t"], acknowledged: [], watchers: [watcher], timeoutMs: 1 };
  const faults = await judge(evidence);
  return faults.filter(({ kind, detail }) =>
    /seen|missed/.test(kind) && !detail.includes("end of")
  );
}

const kindsOf = (faults: readonly Fault[]) => faults.map(({ kind }) => kind);

Deno.test("the check finds what was missed and what was seen twice, also where a failover was announced just there", async () => {
  assert.deepEqual(kindsOf(await faultsOf({ saw: [0, 1, 2, 3] })), []);
  assert.deepEqual(kindsOf(await faultsOf({ saw: [0, 1, 3] })), ["missed"]);
  assert.deepEqual(kindsOf(await faultsOf({ saw: [0, 1, 3], told: 2 })), ["missed"]);
  assert.deepEqual(kindsOf(await faultsOf({ saw: [0, 1, 1, 2, 3] })), ["seen twice"]);
  assert.deepEqual(kindsOf(await faultsOf({ saw: [0, 1, 1, 2, 3], told: 2 })), ["seen twice"]);
  assert.deepEqual(kindsOf(await faultsOf({ saw: [0, 2, 1, 3] })), ["seen out of order"]);
});
