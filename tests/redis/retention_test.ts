import assert from "node:assert/strict";
import { formatId, ZERO } from "../../lib/codec/id.ts";
import { TRIM_STEP } from "../../lib/redis/topic_store.ts";
import type { Partition } from "../_support/partition.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

async function dataOf(partition: Partition, topic: string): Promise<number[]> {
  const entries = await partition.store.history({ topic, count: 100_000, descending: false });
  return entries.map(({ message }) => JSON.parse(message.body).data);
}

const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function publishMany(partition: Partition, topic: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 500) {
    await partition.publish(topic, ...range(i, Math.min(i + 500, count)));
  }
}

/** Makes a topic's messages `ms` older than they are, which no script could. */
async function age(partition: Partition, topic: string, ms: number): Promise<void> {
  const key = partition.store.keys.topic(topic);
  const entries = await partition.store.history({ topic, count: 100_000, descending: false });
  await redis.cli("DEL", key);
  for (const { id, previous, number, message } of entries) {
    const older = formatId({ ms: id.ms - ms, seq: id.seq });
    const fields = ["m", message.body, "p", formatId(previous), "s", `${number}`];
    await redis.cli("XADD", key, older, ...fields);
  }
}

Deno.test("commit keeps exactly as many messages as retention says", async () => {
  await using partition = redis.open({ retention: { maxMessages: 5 } });
  await partition.publish("t", ...range(0, 3));
  await partition.publish("u", ...range(0, 9));
  await partition.publish("t", ...range(3, 8));
  assert.deepEqual(await dataOf(partition, "t"), range(3, 8));
  assert.deepEqual(await dataOf(partition, "u"), range(4, 9));
  const { topics: [state] } = await partition.store.position({ topics: ["t"] });
  assert.equal(state?.count, 8);
});

Deno.test("commit removes what is older than retention says, and nothing that is not", async () => {
  await using partition = redis.open({ retention: { maxAgeMs: 60_000 } });
  await partition.publish("t", 1, 2, 3);
  await age(partition, "t", 61_000);
  await partition.publish("t", 4);
  assert.deepEqual(await dataOf(partition, "t"), [4]);
  await age(partition, "t", 55_000);
  await partition.publish("t", 5);
  assert.deepEqual(await dataOf(partition, "t"), [4, 5]);
});

Deno.test("commit trims in steps, however much there is too much", async () => {
  await using partition = redis.open();
  await publishMany(partition, "t", 4_000);
  await redis.cli("HSET", partition.store.keys.settings, "t", "10 -");
  await partition.publishOne("t", 4_000);
  const kept = Number(await redis.cli("XLEN", partition.store.keys.topic("t")));
  assert.ok(kept > 10 && kept < 4_000, `${kept}`);
  for (let i = 4_001; i < 4_005; i++) await partition.publishOne("t", i);
  assert.deepEqual(await dataOf(partition, "t"), range(3_995, 4_005));
});

Deno.test("PartitionStore.configure() sets a topic's own retention and enforces it at once", async () => {
  await using partition = redis.open({ retention: { maxMessages: 50, maxAgeMs: 60_000 } });
  await partition.publish("t", ...range(0, 20));
  await partition.publish("u", ...range(0, 20));
  await partition.store.topics.configure("t", { maxMessages: 3 });
  assert.deepEqual(await dataOf(partition, "t"), [17, 18, 19]);
  assert.equal((await dataOf(partition, "u")).length, 20);
  assert.deepEqual((await partition.store.topics.info("t"))?.settings, { maxMessages: 3 });
  await partition.store.topics.configure("t", {});
  await partition.publish("t", ...range(20, 30));
  assert.equal((await dataOf(partition, "t")).length, 13);
  await partition.store.topics.configure("t", { maxAgeMs: 1_000 });
  await age(partition, "t", 5_000);
  await partition.store.topics.sweep(["t"]);
  assert.deepEqual(await dataOf(partition, "t"), []);
});

Deno.test("PartitionStore.configure() trims all that is too much, in as many steps as it takes", async () => {
  await using partition = redis.open();
  await publishMany(partition, "t", 25_000);
  await partition.store.topics.configure("t", { maxMessages: 10 });
  assert.deepEqual(await dataOf(partition, "t"), range(24_990, 25_000));
});

Deno.test("PartitionStore.sweep() bounds what one call removes over all its topics", async () => {
  await using partition = redis.open();
  for (const topic of ["a", "b", "c"]) {
    await publishMany(partition, topic, 6_000);
    await redis.cli("HSET", partition.store.keys.settings, topic, "1 -");
  }
  const topics = ["a", "b", "c"];
  assert.equal(await partition.store.topics.sweep(topics), TRIM_STEP);
  assert.equal(await partition.store.topics.sweep(topics), 3 * 5_999 - TRIM_STEP);
  assert.equal(await partition.store.topics.sweep(topics), 0);
  for (const topic of topics) assert.deepEqual(await dataOf(partition, topic), [5_999]);
});

Deno.test("PartitionStore.sweep() leaves topics alone that have nothing to trim", async () => {
  await using partition = redis.open({ retention: { maxMessages: 10 } });
  await partition.publish("t", 1, 2);
  await redis.cli("SET", partition.store.keys.topic("foreign"), "theirs");
  assert.equal(await partition.store.topics.sweep(["t", "none", "foreign"]), 0);
  assert.equal(await partition.store.topics.sweep([]), 0);
  assert.equal(await redis.cli("GET", partition.store.keys.topic("foreign")), "theirs");
});

Deno.test("PartitionStore.remove() deletes messages and settings and leaves a tombstone", async () => {
  await using partition = redis.open();
  const last = await partition.publishOne("t", 1);
  await partition.store.topics.configure("t", { maxMessages: 9 });
  assert.equal(await partition.store.topics.remove("t"), true);
  assert.equal(await partition.store.topics.remove("t"), false);
  assert.equal(await partition.store.topics.remove("none"), false);
  assert.equal(await redis.cli("EXISTS", partition.store.keys.topic("t")), "0");
  assert.equal(await partition.store.topics.info("t"), undefined);
  const { topics: [state] } = await partition.store.position({ topics: ["t"] });
  assert.equal(formatId(state?.last ?? ZERO), last);
});

Deno.test("PartitionStore.remove() lets the topic begin again after what it had", async () => {
  await using partition = redis.open();
  const before = await partition.publishOne("t", 1);
  await partition.store.topics.remove("t");
  await partition.publishOne("t", 2);
  const [entry] = await partition.store.history({ topic: "t", count: 1, descending: false });
  assert.deepEqual([formatId(entry?.previous ?? ZERO), entry?.number], [before, 2]);
  const { topics: [state] } = await partition.store.position({ topics: ["t"] });
  assert.equal(state?.deletedAt, undefined);
  assert.equal((await partition.store.topics.info("t"))?.length, 1);
});

Deno.test("PartitionStore.remove() takes away the settings of a topic that has no message", async () => {
  await using partition = redis.open();
  await partition.store.topics.configure("t", { maxMessages: 9 });
  assert.deepEqual(await partition.store.topics.info("t"), {
    length: 0,
    firstId: undefined,
    lastId: undefined,
    count: 0,
    bytes: 0,
    settings: { maxMessages: 9 },
  });
  assert.equal(await partition.store.topics.remove("t"), true);
  assert.equal(await partition.store.topics.info("t"), undefined);
  assert.deepEqual(await partition.store.topics.list({ count: 9 }), []);
});

Deno.test("PartitionStore.sweep() forgets a topic deleted a week ago and raises what is purged", async () => {
  await using partition = redis.open();
  const last = await partition.publishOne("old", 1);
  await partition.publishOne("young", 1);
  await partition.store.topics.remove("old");
  await partition.store.topics.remove("young");
  const week = 7 * 86_400_000;
  await redis.cli(
    ...["HSET", partition.store.keys.meta, "t:old", `${last} 1 10 ${Date.now() - week - 1_000}`],
  );
  await partition.store.topics.sweep(["old", "young"]);
  const { topics, purged } = await partition.store.position({ topics: ["old", "young"] });
  assert.equal(topics[0], undefined);
  assert.notEqual(topics[1], undefined);
  assert.equal(formatId(purged), last);
  assert.deepEqual((await partition.store.topics.list({ count: 9 })).map(({ topic }) => topic), [
    "young",
  ]);
  await partition.publishOne("new", 1);
  const [entry] = await partition.store.history({ topic: "new", count: 1, descending: false });
  assert.equal(formatId(entry?.previous ?? ZERO), last);
});

Deno.test("PartitionStore.takeSweep() gives the turn to one process at a time", async () => {
  await using partition = redis.open();
  assert.equal(await partition.store.topics.takeSweep("one", 60_000), true);
  assert.equal(await partition.store.topics.takeSweep("two", 60_000), false);
  await redis.cli("DEL", partition.store.keys.sweep);
  assert.equal(await partition.store.topics.takeSweep("two", 30), true);
  await until(() => partition.store.topics.takeSweep("one", 60_000));
});
