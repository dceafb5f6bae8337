import assert from "node:assert/strict";
import { publishId, send } from "../_support/http.ts";
import { openOn } from "../_support/topologies.ts";
import { until } from "../_support/until.ts";
import {
  ack,
  dataOf,
  groupsOf,
  idsOf,
  publishWork,
  pull,
  putGroup,
  type Work,
} from "../_support/work.ts";
import { LOSSES, startBranches } from "./branches.ts";

const PATIENT = { timeoutMs: 30_000, what: "an answer" };

/** Pulls as often as it takes until so many messages came. */
async function pullAll(url: string, count: number, fields: Record<string, unknown>) {
  const messages: Work[] = [];
  const leases: (string | null)[] = [];
  await until(async () => {
    const pulled = await pull(url, { max: 100, waitMs: 1_000, ...fields });
    messages.push(...pulled.messages);
    leases.push(pulled.lease);
    return messages.length >= count;
  }, PATIENT);
  return { messages, lease: leases.at(-1) ?? null };
}

for (const name of LOSSES) {
  Deno.test(`a group drops no work where ${name} loses its last writes, and what was held on the lost branch is nobody's`, async () => {
    await using branches = await startBranches(name, "jobs");
    await using runnel = await openOn(branches.topology);
    const { url } = runnel;
    await pull(url, { since: "earliest", waitMs: 0 });
    const ids = await publishWork(url, 6);
    await putGroup(url, { group: "unused", since: "earliest" });
    const early = await pull(url, { consumer: "early", max: 2, leaseMs: 3_000 });
    assert.deepEqual(dataOf(early), [0, 1]);
    await branches.holdBack();
    // all of this is on the branch that is lost
    assert.equal((await ack(url, idsOf(early))).done, 2);
    const late = await pull(url, { consumer: "late", max: 2, leaseMs: 600_000 });
    assert.deepEqual(dataOf(late), [2, 3]);
    assert.equal((await ack(url, [ids[2] ?? ""])).done, 1);
    await publishId(url, { topic: "jobs", data: "lost" });
    const lost = await pull(url, { consumer: "late", max: 10, leaseMs: 600_000 });
    assert.deepEqual(dataOf(lost), [4, 5, "lost"]);
    const first = await pull(url, { group: "unused", max: 1, leaseMs: 600_000 });

    await branches.failOver();
    const idempotencyKey = "new";
    await until(() => publishId(url, { topic: "jobs", data: "new", idempotencyKey }), PATIENT);
    // the leases of before end, and what was acknowledged or leased after them is there again
    const again = await pullAll(url, 7, { consumer: "other", leaseMs: 600_000 });
    const byData = new Map(again.messages.map(({ data, deliveries }) => [data, deliveries]));
    assert.equal(again.messages.length, 7);
    assert.deepEqual(Object.fromEntries(byData), { 0: 2, 1: 2, 2: 1, 3: 1, 4: 1, 5: 1, new: 1 });

    const second = await pull(url, { group: "unused", max: 1, leaseMs: 600_000 });
    assert.deepEqual(idsOf(second), idsOf(first));

    // whoever holds a lease of the lost branch can neither give back nor keep what another has now
    for (
      const [group, { lease, messages }] of [["g", late], ["g", lost], ["unused", first]] as const
    ) {
      const held = messages.map(({ id }) => id);
      for (const outcome of ["nack", "extend"]) {
        const { done, unknown } = await ack(url, held, { group, outcome, lease });
        assert.deepEqual([done, unknown], [0, held], outcome);
      }
    }
    assert.deepEqual(dataOf(await pull(url, { consumer: "third", waitMs: 0 })), []);
    const settled = await ack(url, again.messages.map(({ id }) => id));
    assert.deepEqual([settled.done, settled.unknown], [7, []]);
    const group = (await groupsOf(url)).find(({ group }) => group === "g");
    assert.deepEqual([group?.lag, group?.pending, group?.dead], [0, 0, 0]);
    const { body } = await send(`${url}/topics/jobs`);
    assert.equal(body.messages, 7);
    await branches.bringBack();
    assert.deepEqual(dataOf(await pull(url, { consumer: "third", waitMs: 0 })), []);
  });
}
