import assert from "node:assert/strict";
import { generationOf, parseId } from "../../lib/codec/id.ts";
import { readHistory } from "../_support/history.ts";
import { publishId } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";
import { openOn } from "../_support/topologies.ts";
import { until } from "../_support/until.ts";
import { LOSSES, startBranches } from "./branches.ts";
import { watch } from "./watcher.ts";

const TOPIC = "orders.a";

/** Publishes three messages, each as often as it takes, and gives their ids. */
async function publishThree(url: string, what: string): Promise<string[]> {
  const ids: string[] = [];
  for (const n of [1, 2, 3].map((i) => `${what}${i}`)) {
    const message = { topic: TOPIC, data: { n }, idempotencyKey: n };
    ids.push(await until(() => publishId(url, message), { timeoutMs: 30_000, what: "a publish" }));
  }
  return ids;
}

interface Resumed {
  readonly gaps: readonly unknown[];
  readonly seen: readonly string[];
}

/** Comes back as a browser does, and reads until the last message that was published. */
async function resume(url: string, lastEventId: string, last: string): Promise<Resumed> {
  const headers = { "last-event-id": lastEventId };
  // a Sentinel that has not heard of the failover yet names the dead primary to a process that is new
  const open = () => openStream(`${url}/subscribe?topic=${TOPIC}`, { headers });
  await using stream = await until(open, { what: "a stream" });
  const events = await stream.until(({ data }) => JSON.parse(data).id === last);
  return {
    gaps: events.filter(({ event }) => event === "$gap").map(({ data }) => JSON.parse(data).reason),
    seen: events.filter(({ event }) => !event.startsWith("$"))
      .map(({ data }) => JSON.parse(data).data.n),
  };
}

/** What a browser holds after a message. */
async function cursorAfter(url: string, id: string): Promise<string> {
  await using stream = await openStream(`${url}/subscribe?topic=${TOPIC}&since=earliest`);
  await stream.until(({ data }) => JSON.parse(data).id === id);
  return stream.lastEventId;
}

const THREE = (what: string) => [1, 2, 3].map((i) => `${what}${i}`);

async function loseBranch(
  name: typeof LOSSES[number],
  { aheadMs }: { readonly aheadMs: number },
): Promise<void> {
  await using branches = await startBranches(name, TOPIC);
  await using runnel = await openOn(branches.topology);
  const { url } = runnel;
  const urls = [url];
  const silenceMs = 60_000;
  await using named = await watch({ urls, silenceMs, topics: [TOPIC] });
  await using open = await watch({ urls, silenceMs, topics: ["orders.*"], expects: [TOPIC] });
  const kept = await publishThree(url, "kept");
  const cursors = { first: await cursorAfter(url, kept[0] ?? ""), kept: "", lost: "" };
  cursors.kept = await cursorAfter(url, kept[2] ?? "");
  await branches.holdBack();
  if (aheadMs > 0) {
    const { seq } = parseId(kept[2] ?? "") ?? assert.fail("no id");
    const clock = `${Date.now() + aheadMs}-${seq}`;
    await branches.primary.cli("HSET", `${branches.base}:meta`, "clock", clock);
  }
  const lost = await publishThree(url, "lost");
  await until(() => lost.every((id) => named.has(id) && open.has(id)));
  cursors.lost = await cursorAfter(url, lost[2] ?? "");
  const halfway = await cursorAfter(url, lost[0] ?? "");

  await branches.failOver();
  const later = await publishThree(url, "later");
  const last = later[2] ?? "";
  for (const watcher of [named, open]) {
    await until(() => watcher.has(last), { timeoutMs: 20_000, what: "what came later" });
    const { seen, gaps, connections } = watcher;
    assert.deepEqual(seen.map(({ n }) => n), ["kept", "lost", "later"].flatMap(THREE));
    assert.deepEqual(gaps.map(({ reason, seen }) => [reason, seen]), [["failover", 6]]);
    assert.equal(connections, 1);
  }
  const ids = [...kept, ...lost, ...later];
  assert.equal(new Set(ids).size, ids.length);
  const [before = 0, after = 0] = [lost[2], later[0]]
    .map((id) => generationOf(parseId(id ?? "") ?? assert.fail(id)));
  assert.ok(after > before, `generation ${after} after ${before}`);
  if (aheadMs > 0) assert.ok(Number(lost[0]?.split("-")[0]) > Number(last.split("-")[0]));

  // a process that was there, and one that knows of nothing
  await using fresh = await openOn(branches.topology);
  for (const at of [url, fresh.url]) {
    for (const cursor of [cursors.lost, halfway]) {
      const there = await resume(at, cursor, last);
      assert.deepEqual(there, { gaps: ["failover"], seen: THREE("later") });
    }
    assert.deepEqual(await resume(at, cursors.kept, last), { gaps: [], seen: THREE("later") });
    const seen = ["kept2", "kept3", ...THREE("later")];
    assert.deepEqual(await resume(at, cursors.first, last), { gaps: [], seen });
    assert.deepEqual((await readHistory(at, TOPIC)).map(({ id }) => id), [...kept, ...later]);
  }
  await branches.bringBack();
  const end = await publishThree(url, "end");
  for (const watcher of [named, open]) {
    await until(() => watcher.has(end[2] ?? ""));
    assert.deepEqual([watcher.seen.length, watcher.gaps.length], [12, 1]);
  }
  const there = await resume(fresh.url, cursors.lost, end[2] ?? "");
  assert.deepEqual(there, { gaps: ["failover"], seen: ["later", "end"].flatMap(THREE) });
}

const WORDS = {
  sentinel: "a failover of Sentinel to a replica that lagged",
  cluster: "a failover of a Cluster to a replica that lagged",
  single: "a restart with older data",
};

for (const name of LOSSES) {
  Deno.test(`subscribers are told once what ${WORDS[name]} lost, and get the rest once and in order`, () =>
    loseBranch(name, { aheadMs: 0 }));
  Deno.test(`subscribers are told what ${WORDS[name]} lost though the clock then is an hour behind`, () =>
    loseBranch(name, { aheadMs: 3_600_000 }));
}
