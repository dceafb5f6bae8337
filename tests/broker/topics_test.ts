import assert from "node:assert/strict";
import { Partition as BrokerPartition } from "../../lib/broker/partition.ts";
import { PartitionSet } from "../../lib/broker/partitions.ts";
import { Topics } from "../../lib/broker/topics.ts";
import { parseId } from "../../lib/codec/id.ts";
import { memoryLog } from "../_support/memory_log.ts";
import type { Partition } from "../_support/partition.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();
const RETENTION = { maxMessages: 1_000, maxAgeMs: undefined };

function topicsOf({ node: site, prefix }: Partition): Topics {
  const only = new BrokerPartition({
    ...{ site, prefix, number: 0, partitions: 1, processId: "one", log: memoryLog().log },
    ...{ retention: RETENTION, idempotencyMs: 60_000, backlogFactor: 10 },
  });
  const set = new PartitionSet([only]);
  return new Topics({ partitions: { current: () => Promise.resolve(set) }, retention: RETENTION });
}

const dataOf = (texts: readonly string[]) => texts.map((text) => JSON.parse(text).data);

Deno.test("Topics.list() lists living topics, by prefix and page by page", async () => {
  await using partition = redis.open();
  const topics = topicsOf(partition);
  const names = ["a", "b.1", "b.2", "b.3", "b.4", "c"];
  for (const name of names) await partition.publishOne(name);
  await topics.remove("b.2");
  await topics.configure("d", { maxMessages: 5 });
  const { topics: all } = await topics.list({ limit: 99 });
  assert.deepEqual(all.map(({ topic }) => topic), ["a", "b.1", "b.3", "b.4", "c", "d"]);
  assert.deepEqual([all[0]?.count, all[5]], [1, { topic: "d", count: 0, lastId: null }]);
  const { topics: some } = await topics.list({ prefix: "b.", limit: 99 });
  assert.deepEqual(some.map(({ topic }) => topic), ["b.1", "b.3", "b.4"]);
  for (const limit of [1, 2, 3]) {
    const paged: string[] = [];
    let after: string | undefined;
    do {
      const page = await topics.list({ limit, after });
      assert.ok(page.topics.length <= limit);
      paged.push(...page.topics.map(({ topic }) => topic));
      after = page.next;
    } while (after !== undefined);
    assert.deepEqual(paged, all.map(({ topic }) => topic), `${limit} a page`);
  }
});

Deno.test("Topics.list() names no further page where only deleted topics follow", async () => {
  await using partition = redis.open();
  const topics = topicsOf(partition);
  for (const name of ["a", "b", "c"]) await partition.publishOne(name);
  await topics.remove("b");
  await topics.remove("c");
  assert.equal((await topics.list({ limit: 1 })).next, undefined);
});

Deno.test("Topics.describe() tells of a topic with the retention that applies to it", async () => {
  await using partition = redis.open();
  const topics = topicsOf(partition);
  const ids = await partition.publish("a", 1, 2, 3);
  const { bytes, ...rest } = await topics.describe("a");
  assert.deepEqual(rest, {
    topic: "a",
    messages: 3,
    firstId: ids[0],
    lastId: ids[2],
    count: 3,
    subscribers: 0,
    retention: { maxMessages: 1_000, maxAgeMs: null },
    ownRetention: {},
    groups: [],
  });
  assert.ok(bytes > 0);
  for (const work of [topics.describe("none"), topics.remove("none")]) {
    await assert.rejects(work, { code: "not_found" });
  }
});

Deno.test("Topics.configure() changes what is named, and goes back to the default for null", async () => {
  await using partition = redis.open();
  const topics = topicsOf(partition);
  await partition.publish("a", 1, 2, 3, 4);
  const retention = async (change: Parameters<Topics["configure"]>[1]) =>
    (await topics.configure("a", change)).retention;
  assert.deepEqual(await retention({ maxMessages: 2 }), { maxMessages: 2, maxAgeMs: null });
  assert.deepEqual(await retention({ maxAgeMs: 60_000 }), { maxMessages: 2, maxAgeMs: 60_000 });
  assert.deepEqual(await retention({ maxMessages: null }), {
    maxMessages: 1_000,
    maxAgeMs: 60_000,
  });
  assert.deepEqual(await retention({}), { maxMessages: 1_000, maxAgeMs: 60_000 });
  assert.deepEqual((await topics.describe("a")).messages, 2);
});

Deno.test("Topics.messages() pages through a topic both ways", async () => {
  await using partition = redis.open();
  const topics = topicsOf(partition);
  await partition.publish("a", ...Array.from({ length: 7 }, (_, i) => i));
  for (const descending of [false, true]) {
    const all: unknown[] = [];
    let bound: string | undefined;
    do {
      const id = bound === undefined ? undefined : parseId(bound);
      const page = await topics.messages("a", {
        limit: 3,
        descending,
        ...(descending ? { before: id } : { after: id }),
      });
      all.push(...dataOf(page.messages));
      bound = page.next;
    } while (bound !== undefined);
    assert.deepEqual(all, descending ? [6, 5, 4, 3, 2, 1, 0] : [0, 1, 2, 3, 4, 5, 6]);
  }
});

Deno.test("Topics.messages() bounds a page by bytes, leaves out the expired, and knows no deleted topic", async () => {
  await using partition = redis.open();
  const topics = topicsOf(partition);
  for (let i = 0; i < 6; i++) await partition.publishOne("large", "x".repeat(1 << 20));
  const page = await topics.messages("large", { limit: 100, descending: false });
  assert.ok(page.messages.length >= 1 && page.messages.length < 6);
  assert.notEqual(page.next, undefined);
  await partition.commit({
    a: [{ body: '{"data":"short"}', options: '{"ttl":1}' }, '{"data":"kept"}'],
  });
  const { now } = await partition.store.position();
  await until(async () => (await partition.store.position()).now > now + 10);
  const read = await topics.messages("a", { limit: 9, descending: false });
  assert.deepEqual(dataOf(read.messages), ["kept"]);
  await topics.remove("a");
  await assert.rejects(topics.messages("a", { limit: 9, descending: false }), {
    code: "not_found",
  });
  await topics.configure("b", { maxMessages: 1 });
  assert.deepEqual(await topics.messages("b", { limit: 9, descending: false }), { messages: [] });
});
