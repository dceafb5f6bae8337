import assert from "node:assert/strict";
import { Reader } from "../../lib/broker/reader.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { compareIds, type Id, parseId, ZERO } from "../../lib/codec/id.ts";
import { randomSource } from "../_support/random.ts";
import { readAll } from "../_support/read_all.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import type { Partition } from "../_support/partition.ts";

const redis = shareRedis();

const id = (text: string | undefined): Id => parseId(text ?? "") ?? assert.fail(`no id: ${text}`);
const everything = new TopicFilter(["**"]);

/** Moves the partition's clock on, so that what comes next is that much later. */
async function later(partition: Partition, ms: number): Promise<void> {
  const { clock } = await partition.store.position();
  await redis.cli("HSET", partition.store.keys.meta, "clock", `${clock.ms + ms}-${clock.seq}`);
}

async function trimLog(partition: Partition, keep: number): Promise<void> {
  await redis.cli("XTRIM", partition.store.keys.log, "MAXLEN", "=", `${keep}`);
}

/** Publishes over topics at times far and near. */
async function publishSpread(partition: Partition, rounds: number, seed = 1): Promise<string[]> {
  const random = randomSource(seed);
  const published: string[] = [];
  for (let i = 0; i < rounds; i++) {
    const topic = `t.${Math.floor(random() * 5)}`;
    published.push(...await partition.publish(topic, ...(random() < 0.3 ? [i, i] : [i])));
    if (random() < 0.5) await later(partition, Math.floor(random() * 20_000));
  }
  return published;
}

Deno.test("Reader merges the topics below the log's floor, in order and without a gap", async () => {
  await using partition = redis.open();
  const published = await publishSpread(partition, 60);
  for (const keep of [30, 5, 1]) {
    await trimLog(partition, keep);
    const reader = new Reader(partition.store);
    for (const after of [0, 7, 20, 50]) {
      const cursor = after === 0 ? ZERO : id(published[after - 1]);
      const { ids, gaps } = await readAll(reader, everything, { cursor });
      assert.deepEqual(ids, published.slice(after), `log of ${keep}, after ${after}`);
      assert.deepEqual(gaps, []);
    }
  }
});

Deno.test("Reader finds its way over years without a message in a few pages", async () => {
  await using partition = redis.open();
  const first = await partition.publishOne("t.1", 1);
  await later(partition, 3 * 365 * 86_400_000);
  const published = [await partition.publishOne("t.2", 2), await partition.publishOne("t.1", 3)];
  await trimLog(partition, 1);
  const { ids, pages } = await readAll(new Reader(partition.store), everything, {
    cursor: id(first),
  });
  assert.deepEqual(ids, published);
  assert.ok(pages.length < 40, `${pages.length} pages`);
});

Deno.test("Reader parts what is much below the log's floor into pages", async () => {
  await using partition = redis.open();
  const published: string[] = [];
  for (let i = 0; i < 30; i++) {
    published.push(
      ...await partition.publish(`t.${i % 3}`, ...Array.from({ length: 100 }, (_, k) => k)),
    );
  }
  await trimLog(partition, 1);
  const { ids, pages } = await readAll(new Reader(partition.store), everything, { cursor: ZERO });
  assert.deepEqual(ids, published);
  for (const { batch } of pages) assert.ok(batch.ids.length <= 3_000);
});

Deno.test("Reader announces what was trimmed from a topic below the log's floor", async (t) => {
  // where the trimmed messages lie in one slice of time and the kept ones in another, too
  for (const apart of [0, 190, 950, 4_000]) {
    await t.step(`messages ${apart} ms apart`, async () => {
      await using partition = redis.open();
      const first = await partition.publishOne("t.1", 0);
      const published: string[] = [];
      for (let i = 1; i <= 9; i++) {
        await later(partition, apart);
        published.push(await partition.publishOne("t.1", i));
        await partition.publishOne("t.2", i);
      }
      await redis.cli("XTRIM", partition.store.keys.topic("t.1"), "MAXLEN", "=", "4");
      await trimLog(partition, 3);
      const { data, gaps } = await readAll(new Reader(partition.store), everything, {
        cursor: id(first),
      });
      assert.equal(data.length, 4 + 9);
      assert.deepEqual(gaps.map(({ topic, reason }) => [topic, reason]), [["t.1", "retention"]]);
    });
  }
});

Deno.test("Reader announces a topic below the log's floor of which nothing is left", async () => {
  await using partition = redis.open();
  const first = await partition.publishOne("t.1", 0);
  for (let i = 1; i <= 3; i++) {
    await later(partition, 5_000);
    await partition.publishOne("t.1", i);
    await partition.publishOne("t.2", i);
  }
  await redis.cli("XTRIM", partition.store.keys.topic("t.1"), "MAXLEN", "=", "0");
  await trimLog(partition, 1);
  const { gaps } = await readAll(new Reader(partition.store), everything, { cursor: id(first) });
  assert.deepEqual(gaps.map(({ topic }) => topic), ["t.1"]);
});

Deno.test("Reader announces deleted and forgotten topics below the log's floor", async (t) => {
  for (const forgotten of [false, true]) {
    await t.step(forgotten ? "forgotten" : "deleted", async () => {
      await using partition = redis.open();
      const first = await partition.publishOne("t.1", 0);
      const last = await partition.publishOne("t.2", 1);
      await partition.store.topics.remove("t.2");
      if (forgotten) {
        const ago = Date.now() - 8 * 86_400_000;
        await redis.cli("HSET", partition.store.keys.meta, "t:t.2", `${last} 1 10 ${ago}`);
        await partition.store.topics.sweep(["t.2"]);
      }
      await later(partition, 5_000);
      const rest = [await partition.publishOne("t.1", 2), await partition.publishOne("t.1", 3)];
      await trimLog(partition, 1);
      const read = await readAll(new Reader(partition.store), everything, { cursor: id(first) });
      assert.deepEqual(read.ids, rest);
      assert.deepEqual(read.gaps.map(({ topic, reason }) => [topic, reason]), [
        [forgotten ? null : "t.2", "deleted"],
      ]);
    });
  }
});

Deno.test("Reader announces nothing to earliest of what was gone before it began", async () => {
  await using partition = redis.open({ retention: { maxMessages: 3 } });
  await partition.publishOne("t.gone", 1);
  for (let i = 0; i < 8; i++) {
    await partition.publishOne("t.1", i);
    await later(partition, 3_000);
  }
  const last = (await partition.store.position({ topics: ["t.gone"] })).topics[0]?.last ?? ZERO;
  await partition.store.topics.remove("t.gone");
  const ago = Date.now() - 8 * 86_400_000;
  await redis.cli(
    "HSET",
    partition.store.keys.meta,
    "t:t.gone",
    `${last.ms}-${last.seq} 1 10 ${ago}`,
  );
  await partition.store.topics.sweep(["t.gone"]);
  await trimLog(partition, 1);
  const reader = new Reader(partition.store);
  const floors = await reader.floors(everything, await reader.position(everything, ZERO));
  const { data, gaps } = await readAll(reader, everything, { cursor: ZERO, floors });
  assert.deepEqual([data, gaps], [[5, 6, 7], []]);
});

Deno.test("Reader sees topics that were made while it was reading", async () => {
  await using partition = redis.open();
  await publishSpread(partition, 20);
  await trimLog(partition, 1);
  const reader = new Reader(partition.store);
  await readAll(reader, everything, { cursor: ZERO });
  const fresh: string[] = [];
  for (let i = 0; i < 5; i++) {
    await later(partition, 2_000);
    fresh.push(await partition.publishOne(`new.${i}`, i));
  }
  await trimLog(partition, 1);
  const { ids } = await readAll(reader, everything, { cursor: ZERO });
  assert.deepEqual(ids.slice(-5), fresh);
});

Deno.test("Reader gives each message once while the log is trimmed under it", async () => {
  await using partition = redis.open();
  const published = await publishSpread(partition, 120, 7);
  let keep = 100;
  const reader = new Reader(partition.store);
  const trim = () => trimLog(partition, keep = Math.max(1, keep - 20));
  const { ids, gaps } = await readAll(reader, everything, { cursor: ZERO, eachPage: trim });
  assert.deepEqual([ids, gaps], [published, []]);
  assert.deepEqual(ids, [...ids].sort((a, b) => compareIds(id(a), id(b))));
});
