import assert from "node:assert/strict";
import { countKeyOf, LONG_MS } from "../_support/rate_count.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

/** The keys of a prefix's counts. */
async function countKeys(prefix: string): Promise<string[]> {
  return (await redis.cli("KEYS", `{${prefix}:0}:r:*`)).split("\n").filter((key) => key !== "");
}

Deno.test("RateStore gives all points or none, to all processes from the same", async () => {
  await using one = redis.open();
  await using other = redis.open({ prefix: one.prefix });
  const take = async ({ store }: typeof one, points: number) => {
    const { granted, remaining } = await store.rates.take("a", { points, rate: 10 });
    return [granted, remaining];
  };
  const key = one.store.keys.base + countKeyOf("a");
  // a second that does not end while the test lasts
  await redis.cli("SET", key, "1", "PX", LONG_MS);
  assert.deepEqual(await take(other, 5), [true, 4]);
  assert.deepEqual(await take(one, 5), [false, 4]);
  assert.deepEqual(await take(one, 11), [false, 4]);
  assert.deepEqual(await take(other, 4), [true, 0]);
  assert.deepEqual(await take(one, 1), [false, 0]);
  assert.equal(await redis.cli("GET", key), "10");
});

Deno.test("RateStore begins a second with the first points, and keeps nothing after it", async () => {
  await using partition = redis.open();
  const take = () => partition.store.rates.take("a", { points: 1, rate: 1 });
  const first = await take();
  assert.deepEqual(first, { granted: true, remaining: 0, resetMs: 1_000 });
  await until(async () => (await countKeys(partition.prefix)).length === 0);
  assert.deepEqual(await take(), first);
});

Deno.test("RateStore counts names apart, however long they are, and does not tell them", async () => {
  await using partition = redis.open();
  const names = ["a", "b", "x".repeat(10_000), "é\ud800{}", ""];
  for (const name of names) {
    const { granted } = await partition.store.rates.take(name, { points: 1, rate: 1 });
    assert.equal(granted, true, name.slice(0, 10));
  }
  for (const key of await countKeys(partition.prefix)) {
    assert.match(key, /^\{[^}]+\}:r:[\w-]{22}$/);
  }
});

Deno.test("RateStore knows the rate by what it is asked", async () => {
  await using partition = redis.open();
  const take = (rate: number) => partition.store.rates.take("a", { points: 1, rate });
  assert.equal((await take(5)).remaining, 4);
  assert.ok((await take(100)).remaining >= 98);
  assert.ok((await take(2)).remaining <= 1);
});

Deno.test("RateStore counts nothing where its partition has gone", async () => {
  await using partition = redis.open();
  await partition.commit({ t: ['{"data":1}'] });
  await redis.cli("HSET", partition.store.keys.meta, "state", "split", "to", "2");
  await assert.rejects(partition.store.rates.take("a", { points: 1, rate: 1 }), {
    code: "partition_split",
  });
});

Deno.test("RateStore says why Redis does not count", async () => {
  await using partition = redis.open();
  const key = partition.store.keys.base + countKeyOf("a");
  await redis.cli("LPUSH", key, "foreign");
  await redis.cli("PEXPIRE", key, LONG_MS);
  await assert.rejects(partition.store.rates.take("a", { points: 1, rate: 1_000 }), {
    code: "wrong_type",
  });
});
