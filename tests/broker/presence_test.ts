import assert from "node:assert/strict";
import { Presence } from "../../lib/broker/presence.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { memoryLog } from "../_support/memory_log.ts";
import type { Partition } from "../_support/partition.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

// a report counts for three intervals, which a busy machine must not take between two of them
function presenceOn({ store }: Partition, processId: string): Presence {
  return new Presence({ store, log: memoryLog().log, processId, intervalMs: 500 });
}

Deno.test("Presence counts open subscriptions over all processes, by name and by pattern", async () => {
  await using partition = redis.open();
  await using another = partition.another();
  const [one, two] = [presenceOn(partition, "one"), presenceOn(another, "two")];
  const leave = one.add(new TopicFilter(["a"]));
  one.add(new TopicFilter(["a", "b"]));
  two.add(new TopicFilter(["a"]));
  two.add(new TopicFilter(["*"]));
  await until(async () => await one.of("a") === 4);
  assert.deepEqual([await two.of("b"), await two.of("c"), await two.of("c.d")], [2, 1, 0]);
  leave();
  await until(async () => await two.of("a") === 3);
  await one[Symbol.asyncDispose]();
  assert.equal(await two.of("a"), 2, "a process that ends takes its own back");
  await two[Symbol.asyncDispose]();
});

Deno.test("Presence counts a subscription once that wants a topic in several ways", async () => {
  await using partition = redis.open();
  const presence = presenceOn(partition, "one");
  presence.add(new TopicFilter(["a", "*", "**"]));
  await until(async () => await presence.of("a") > 0);
  assert.equal(await presence.of("a"), 1);
  await presence[Symbol.asyncDispose]();
});

Deno.test("Presence forgets a process that died, and reports again where Redis forgot", async () => {
  await using partition = redis.open();
  const presence = presenceOn(partition, "one");
  presence.add(new TopicFilter(["a"]));
  await until(async () => await presence.of("a") === 1);
  const { keys } = partition.store;
  await redis.cli("ZADD", keys.processes, "1", "dead");
  await redis.cli("HSET", keys.subscribers("dead"), "a", "7");
  assert.equal(await presence.of("a"), 1);
  await redis.cli("DEL", keys.subscribers("one"), keys.processes);
  await until(async () => await presence.of("a") === 1);
  await presence[Symbol.asyncDispose]();
});
