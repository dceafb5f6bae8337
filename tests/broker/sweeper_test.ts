import assert from "node:assert/strict";
import { Sweeper } from "../../lib/broker/sweeper.ts";
import { NO_GROUPS } from "../_support/no_groups.ts";
import { memoryLog } from "../_support/memory_log.ts";
import type { Partition } from "../_support/partition.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

/** Publishes more to a topic than its retention keeps, without trimming it. */
async function overfill(partition: Partition, topic: string, count: number): Promise<void> {
  for (let i = 0; i < count; i += 500) {
    await partition.publish(
      topic,
      ...Array.from({ length: Math.min(500, count - i) }, (_, k) => k),
    );
  }
  await redis.cli("HSET", partition.store.keys.settings, topic, "5 -");
}

const lengthOf = async (partition: Partition, topic: string) =>
  Number(await redis.cli("XLEN", partition.store.keys.topic(topic)));

Deno.test("Sweeper.sweep() applies retention to every topic, however many there are", async () => {
  await using partition = redis.open();
  const topics = Array.from({ length: 230 }, (_, i) => `t.${i}`);
  for (const topic of topics) await partition.publishOne(topic);
  for (const topic of ["t.0", "t.99", "t.100", "t.229"]) await overfill(partition, topic, 10);
  const sweeper = new Sweeper({
    store: partition.store,
    log: memoryLog().log,
    index: NO_GROUPS,
    processId: "one",
  });
  assert.equal(await sweeper.sweep(), 4 * 6);
  for (const topic of ["t.0", "t.99", "t.100", "t.229"]) {
    assert.equal(await lengthOf(partition, topic), 5);
  }
  assert.equal(await sweeper.sweep(), 0);
  await sweeper[Symbol.asyncDispose]();
});

Deno.test("Sweeper.sweep() removes much in steps, to the end", async () => {
  await using partition = redis.open();
  for (const topic of ["a", "b", "c"]) await overfill(partition, topic, 8_000);
  const sweeper = new Sweeper({
    store: partition.store,
    log: memoryLog().log,
    index: NO_GROUPS,
    processId: "one",
  });
  assert.equal(await sweeper.sweep(), 3 * 7_995);
  await sweeper[Symbol.asyncDispose]();
});

Deno.test("Sweeper sweeps by itself, one process at a time, and goes on after a failure", async () => {
  await using partition = redis.open();
  await using another = partition.another();
  const sweepers = [partition, another].map(({ store }, i) =>
    new Sweeper({
      store,
      log: memoryLog().log,
      index: NO_GROUPS,
      processId: `${i}`,
      intervalMs: 40,
    })
  );
  await redis.cli("SET", partition.store.keys.topics, "in the way");
  for (const sweeper of sweepers) sweeper.start();
  await until(async () => await redis.cli("EXISTS", partition.store.keys.sweep) === "1");
  await redis.cli("DEL", partition.store.keys.topics);
  for (let round = 0; round < 2; round++) {
    await overfill(partition, "idle", 50);
    await until(async () => await lengthOf(partition, "idle") === 5);
  }
  for (const sweeper of sweepers) await sweeper[Symbol.asyncDispose]();
});

Deno.test("Sweeper that never began ends at once", async () => {
  await using partition = redis.open();
  const sweeper = new Sweeper({
    store: partition.store,
    log: memoryLog().log,
    index: NO_GROUPS,
    processId: "one",
  });
  await sweeper[Symbol.asyncDispose]();
  assert.equal(await sweeper.sweep(), 0, "and sweeps no more");
});
