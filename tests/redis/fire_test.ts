import assert from "node:assert/strict";
import { readFrame } from "../../lib/redis/frame.ts";
import type { OutgoingMessage } from "../../lib/redis/store.ts";
import { range } from "../_support/fill.ts";
import { Partition } from "../_support/partition.ts";
import { listenRaw } from "../_support/raw_channel.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();

/** A message that is due now. */
function due(data: unknown, options: Record<string, unknown> = {}): OutgoingMessage {
  const at = { at: 1, nonce: "0123456789abcdef" };
  return { body: JSON.stringify({ data }), options: JSON.stringify({ ...options, ...at }) };
}

let number = 0;
const fire = ({ store }: Partition, count = 100) =>
  store.schedule.fire({ lane: "fire", number: ++number, count });
const dataOf = async ({ store }: Partition, topic: string) =>
  (await store.history({ topic, count: 1_000, descending: false }))
    .map(({ message }) => JSON.parse(message.body).data);

Deno.test("fire publishes what is due and says whether more is", async () => {
  await using partition = redis.open();
  await partition.commit({ a: range(0, 25).map((n) => due(n)) });
  const far = JSON.stringify({ delay: 60_000, nonce: "0123456789abcdef" });
  const { special: [[, , , at] = []] } = await partition.commit({
    a: [{ body: '{"data":1}', options: far }],
  });
  assert.deepEqual(await fire(partition, 10), { fired: 10, next: 1, more: true });
  assert.equal((await fire(partition, 10)).more, true);
  assert.deepEqual(await fire(partition, 10), { fired: 5, next: at, more: false });
  assert.deepEqual(await fire(partition, 10), { fired: 0, next: at, more: false });
  assert.deepEqual(await dataOf(partition, "a"), range(0, 25));
});

Deno.test("fire takes 256 KiB at a time, and one message that is larger", async () => {
  await using partition = redis.open();
  const body = (n: number) => due(`${n} ${"x".repeat(100_000)}`);
  await partition.commit({ a: range(0, 5).map(body), b: [due("x".repeat(600_000)), due("small")] });
  const fired: number[] = [];
  for (let more = true; more;) {
    const result = await fire(partition);
    fired.push(result.fired);
    more = result.more;
  }
  assert.deepEqual(fired, [3, 3, 1]);
  assert.equal((await dataOf(partition, "b"))[1], "small");
});

Deno.test("fire keeps keys and lifetimes, also where another text looks like them", async () => {
  await using partition = redis.open();
  const channel = partition.store.keys.channel("a");
  await using raw = await listenRaw(redis.server.url, [channel]);
  await partition.commit({
    a: [
      due(0),
      due(1, { key: "k" }),
      due(2, { ttl: 60_000 }),
      due(3, { idem: '"ttl":5,"key":"no"', hash: "h" }),
    ],
  });
  await fire(partition);
  const entries = await partition.store.history({ topic: "a", count: 9, descending: false });
  const { now } = partition.store;
  const seen = entries.map(({ message: { key, expires } }) => ({
    key,
    lives: expires === undefined ? undefined : Math.round((expires - now) / 60_000),
  }));
  assert.deepEqual(seen, [
    { key: undefined, lives: undefined },
    { key: "k", lives: undefined },
    { key: undefined, lives: 1 },
    { key: undefined, lives: undefined },
  ]);
  await partition.commit({ a: [due(4), due(5)] });
  await fire(partition);
  const texts = await raw.texts(channel, 2);
  assert.deepEqual(texts.map((text) => text[0]), ["X", "F"]);
  const frames = texts.map(readFrame);
  const bodies = frames.flatMap((frame) => frame.kind === "frame" ? frame.messages ?? [] : []);
  assert.deepEqual(bodies.map(({ body }) => JSON.parse(body).data), range(0, 6));
});

Deno.test("fire leaves what cannot be stored for later, and publishes the rest", async () => {
  await using partition = redis.open();
  const { keys } = partition.store;
  await partition.commit({ a: [due(1), due(2)], b: [due(3)] });
  await redis.cli("SET", keys.topic("a"), "foreign");
  const { fired, next, more } = await fire(partition);
  assert.deepEqual([fired, more], [1, false]);
  assert.ok((next ?? 0) > partition.store.now + 30_000);
  assert.deepEqual(await dataOf(partition, "b"), [3]);
  assert.equal(await redis.cli("HLEN", keys.laterMessages), "2");
});

Deno.test("cancel forgets a message also where Redis is out of memory", async () => {
  await using server = await startRedis({ appendonly: false });
  await using partition = new Partition(server.url);
  const far = JSON.stringify({ delay: 60_000, nonce: "0123456789abcdef" });
  const { special: [[, , token = ""] = []] } = await partition.commit({
    a: [{ body: '{"data":1}', options: far }],
  });
  await server.cli("CONFIG", "SET", "maxmemory", "1");
  const { schedule, keys } = partition.store;
  assert.equal(await schedule.cancel(token), true);
  assert.equal(await schedule.cancel(token), false);
  assert.equal(await schedule.head(), undefined);
  assert.equal(await server.cli("HLEN", keys.laterMessages), "0");
});
