import keySlot from "cluster-key-slot";
import assert from "node:assert/strict";
import { moveSlot, ownerOf } from "../../lib/cli/topology/move_slot.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type { Topology } from "../../lib/cli/topology/topology.ts";
import { partitionOf } from "../../lib/codec/partition_of.ts";
import { range } from "../_support/fill.ts";
import { publish, send } from "../_support/http.ts";
import { randomSource } from "../_support/random.ts";
import { openOn, primariesOf } from "../_support/topologies.ts";
import { until } from "../_support/until.ts";
import { startPublishers } from "./publishers.ts";
import { assertFaultless, type Fault, judge } from "./verdict.ts";
import { CROWD, TOPICS, watchAll } from "./watcher.ts";

const PARTITIONS = 16;

/** The slot of a topic's partition. */
function slotOf(topic: string): number {
  return keySlot(`{rn:${partitionOf(topic, PARTITIONS)}/${PARTITIONS}}`);
}

/** Moves a topic's slot to another primary. */
async function moveTopic(topology: Topology, topic: string): Promise<void> {
  const primaries = await primariesOf(topology);
  const slot = slotOf(topic);
  const from = await ownerOf(slot, primaries);
  const to = primaries.find((one) => one !== from);
  assert.ok(from !== undefined && to !== undefined);
  await moveSlot({ slot, from, to, primaries });
}

interface Load {
  readonly seed: number;
  readonly durability?: "stored" | "replicated";
  /** What happens while there is load. */
  readonly commit: (
    topology: Topology,
    progress: (count: number) => Promise<void>,
  ) => Promise<void>;
}

async function underLoad({ seed, durability = "stored", commit }: Load): Promise<Fault[]> {
  await using topology = await startTopology("cluster");
  await using runnel = await openOn(topology);
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, {
    urls,
    random: randomSource(seed),
    silenceMs: 30_000,
  });
  await using publishers = startPublishers({
    ...{ urls, topics: TOPICS, seed, durability, patienceMs: 40_000 },
  });
  await commit(topology, (count) => publishers.progress(count, 40_000));
  await publishers.stop();
  for (const [what] of publishers.refusals) {
    assert.match(what, /^(503 |207 |no answer)/, "nothing but a retry is ever asked of a client");
  }
  for (const { stays, connections } of crowd.watchers) if (stays) assert.equal(connections, 1);
  const { acknowledged } = publishers;
  const { watchers } = crowd;
  const evidence = { url: runnel.url, topics: TOPICS, partitions: PARTITIONS };
  return await judge({ ...evidence, acknowledged, watchers });
}

Deno.test("publish() and subscribe() keep their promises while slots of a Cluster move to and fro under load", async () => {
  const faults = await underLoad({
    seed: 71,
    commit: async (topology, progress) => {
      await progress(300);
      for (const round of range(0, 3)) {
        for (const topic of TOPICS) {
          await moveTopic(topology, topic);
          await progress(50 + round);
        }
      }
    },
  });
  assertFaultless(faults);
});

Deno.test("publish() with durability replicated and subscribe() keep their promises while primaries of a Cluster are killed with -9", async () => {
  const faults = await underLoad({
    seed: 72,
    durability: "replicated",
    commit: async (topology, progress) => {
      for (const topic of ["alone", "orders.a"]) {
        await progress(300);
        const primary = await ownerOf(slotOf(topic), await primariesOf(topology));
        await primary?.kill9();
        // its replica takes over, and has none itself until the dead one is back
        await until(async () => (await primariesOf(topology)).length === 3, { timeoutMs: 30_000 });
        await primary?.restart();
        await progress(300);
      }
    },
  });
  const announced = new Set(["gap announced", "never stored"]);
  assertFaultless(faults.filter(({ kind }) => !announced.has(kind)));
});

Deno.test("a slot that is being moved keeps its topics waiting, and no message is stored by halves", async () => {
  await using topology = await startTopology("cluster");
  await using runnel = await openOn(topology);
  const message = { topic: "t", data: 1, type: "x" };
  const first = await publish(runnel.url, { ...message, idempotencyKey: "first" });
  assert.equal(first.status, 200);
  const primaries = await primariesOf(topology);
  const slot = slotOf("t");
  const from = await ownerOf(slot, primaries);
  const to = primaries.find((one) => one !== from);
  assert.ok(from !== undefined && to !== undefined);
  const [source, target] = await Promise.all([from, to].map((one) => one.cli("CLUSTER", "MYID")));
  await to.cli("CLUSTER", "SETSLOT", `${slot}`, "IMPORTING", `${source}`);
  await from.cli("CLUSTER", "SETSLOT", `${slot}`, "MIGRATING", `${target}`);
  // this one would write a key that is not there yet, which is by now the other node's
  const base = `{rn:${partitionOf("t", PARTITIONS)}/${PARTITIONS}}`;
  const before = await from.cli("XLEN", `${base}:t:t`);
  const refused = await publish(runnel.url, { ...message, delayMs: 50 });
  assert.deepEqual([refused.status, refused.body.code], [503, "partition_closed"]);
  assert.equal(await from.cli("XLEN", `${base}:t:t`), before);
  const keys = (await from.cli("CLUSTER", "GETKEYSINSLOT", `${slot}`, "2")).split("\n");
  await from.cli("MIGRATE", "127.0.0.1", `${to.port}`, "", "0", "5000", "KEYS", ...keys);
  const split = await publish(runnel.url, { ...message, idempotencyKey: "split" });
  assert.deepEqual([split.status, split.body.code], [503, "partition_closed"]);
  const other = TOPICS.find((topic) => slotOf(topic) !== slot) ?? "";
  assert.equal((await publish(runnel.url, { topic: other, data: 1 })).status, 200);
  await moveSlot({ slot, from, to, primaries });
  const again = await publish(runnel.url, { ...message, idempotencyKey: "first" });
  assert.deepEqual([again.status, again.body.duplicate], [200, true]);
  assert.equal((await publish(runnel.url, { ...message, idempotencyKey: "split" })).status, 200);
  const { body } = await send(`${runnel.url}/topics/t`);
  assert.equal(body.messages, 2);
});
