import assert from "node:assert/strict";
import { type ApiKey, newKey } from "../../lib/codec/api_key.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { createShard } from "../../lib/redis/create_shard.ts";
import { type KeyRecord, KeyRecords, keysOf, newestOf } from "../../lib/redis/key_records.ts";
import { surveyKeys } from "../../lib/redis/key_survey.ts";
import { KeyStore } from "../../lib/redis/key_store.ts";
import { keyRingKey } from "../../lib/redis/keys.ts";
import type { Shard } from "../../lib/redis/shard.ts";
import { range } from "../_support/fill.ts";
import { redisOptionsOf } from "../_support/partition.ts";
import { until } from "../_support/until.ts";

const PREFIX = "rn";
const FIELD = keyRingKey(PREFIX);

interface Stage extends AsyncDisposable {
  readonly servers: readonly RedisServer[];
  readonly shards: readonly Shard[];
  readonly records: KeyRecords;
}

async function stage(count: number): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const servers = await Promise.all(range(0, count).map(() => startRedis({ appendonly: false })));
  for (const server of servers) stack.use(server);
  const shards = servers.map(({ url }) => stack.use(createShard(redisOptionsOf(url))));
  const moved = stack.move();
  return {
    servers,
    shards,
    records: new KeyRecords(PREFIX),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

function record(name: string, at: number, id?: string): KeyRecord & { readonly key: ApiKey } {
  const { text: _, ...made } = newKey(id);
  return { id: made.id, at, createdAt: 1, key: { ...made, name, publish: ["**"] } };
}

function revoked({ id, key }: KeyRecord, at: number): KeyRecord {
  return { id, at, createdAt: 1, name: key?.name };
}

function byId(records: readonly KeyRecord[]): KeyRecord[] {
  return records.toSorted((a, b) => a.id < b.id ? -1 : 1);
}

Deno.test("KeyRecords.keep() writes what is newer, whatever comes last", async () => {
  await using scene = await stage(1);
  const { records, shards: [shard] } = scene;
  assert.ok(shard !== undefined);
  const key = record("ci", 1_700_000_000_005);
  const end = revoked(key, 1_700_000_000_006);
  await records.keep(shard, key);
  assert.deepEqual(await records.read(shard), [key]);
  await records.keep(shard, end);
  assert.deepEqual(await records.read(shard), [end]);
  for (const late of [key, { ...key, at: end.at }]) {
    await records.keep(shard, late);
    assert.deepEqual(await records.read(shard), [end]);
  }
});

Deno.test("KeyRecords.merge() knows the newest of each key, and every shard does afterwards", async () => {
  await using scene = await stage(3);
  const { records, shards: [a, b, c] } = scene;
  assert.ok(a !== undefined && b !== undefined && c !== undefined);
  const [one, two, three] = [record("one", 10), record("two", 20), record("three", 30)];
  const changed = record("two", 21, two.id);
  for (const each of [one, two]) await records.keep(a, each);
  for (const each of [changed, three]) await records.keep(b, each);
  await records.keep(c, revoked(one, 11));
  const expected = byId([revoked(one, 11), changed, three]);
  assert.deepEqual(byId(await records.merge(scene.shards)), expected);
  for (const shard of scene.shards) assert.deepEqual(byId(await records.read(shard)), expected);
  assert.deepEqual(keysOf(expected).map(({ name }) => name).toSorted(), ["three", "two"]);
});

Deno.test("KeyRecords.merge() gives a shard that was emptied what the others know", async () => {
  await using scene = await stage(2);
  const { records, servers: [first] } = scene;
  const key = record("ci", 10);
  for (const shard of scene.shards) await records.keep(shard, key);
  await first?.cli("FLUSHALL");
  assert.deepEqual(await records.merge(scene.shards), [key]);
  assert.equal(await first?.cli("HLEN", FIELD), "1");
});

Deno.test("KeyRecords.merge() does with the shards that can be reached, and fails where none can", async () => {
  await using scene = await stage(2);
  const { records, servers, shards: [a] } = scene;
  assert.ok(a !== undefined);
  const key = record("ci", 10);
  await records.keep(a, key);
  await servers[1]?.kill9();
  assert.deepEqual(await records.merge(scene.shards), [key]);
  await servers[0]?.kill9();
  await assert.rejects(records.merge(scene.shards), { name: "RunnelError" });
});

Deno.test("KeyRecords.read() passes over what is no record, as nobody may get in by it", async () => {
  await using scene = await stage(1);
  const { records, servers: [server], shards: [shard] } = scene;
  assert.ok(server !== undefined && shard !== undefined);
  const key = record("ci", 10);
  await records.keep(shard, key);
  const wrong = [
    "nonsense",
    "[]",
    JSON.stringify({ ...key, key: { ...key.key, hash: "sha256:short" } }),
    JSON.stringify({ ...key, key: { ...key.key, publish: ["a b"] } }),
    JSON.stringify({ ...key, key: { ...key.key, admin: true } }),
  ];
  for (const [i, text] of wrong.entries()) await server.cli("HSET", FIELD, `wrong${i}`, text);
  assert.deepEqual(await records.read(shard), [key]);
});

Deno.test("newestOf() is the newest of each id, in any order", () => {
  const old = record("a", 1);
  const late = record("a", 2, old.id);
  const other = record("b", 1);
  for (const all of [[old, late, other], [late, other, old], [other, old, late]]) {
    assert.deepEqual(byId([...newestOf(all).values()]), byId([late, other]));
  }
});

Deno.test("KeyStore.keep() names the shards that may not have it, and fails where none has", async () => {
  await using scene = await stage(2);
  const { servers, shards } = scene;
  const store = new KeyStore({
    deployment: { placed: () => Promise.resolve([...shards]) },
    prefix: PREFIX,
  });
  const key = record("ci", 10);
  assert.deepEqual(await store.keep(key), []);
  await servers[1]?.kill9();
  const later = { ...key, at: 11 };
  const unkept = await store.keep(later);
  assert.deepEqual(unkept.map(({ url }) => url), [shards[1]?.url]);
  assert.deepEqual(await store.list(), [key.key]);
  await servers[1]?.restart();
  assert.equal(await servers[1]?.cli("EXISTS", FIELD), "0");
  await until(async () => {
    assert.deepEqual(await store.records(), [later]);
    return await servers[1]?.cli("HLEN", FIELD) === "1";
  }, { what: "the key on the Redis that has come back" });
  for (const server of servers) await server.kill9();
  await assert.rejects(store.records(), { name: "RunnelError" });
  await assert.rejects(store.keep({ ...key, at: 12 }), { code: "redis_unavailable" });
});

Deno.test("surveyKeys() sees the newest of what is written down, and changes nothing", async () => {
  await using scene = await stage(2);
  const { records, servers, shards: [a, b] } = scene;
  assert.ok(a !== undefined && b !== undefined);
  const [one, two] = [record("one", 10), record("two", 20)];
  for (const each of [one, two]) await records.keep(a, each);
  await records.keep(b, revoked(two, 21));
  const options = servers.map(({ url }) => redisOptionsOf(url));
  assert.deepEqual(await surveyKeys(options, PREFIX), [one.key]);
  assert.equal(await servers[1]?.cli("HLEN", FIELD), "1");
  assert.equal(await servers[1]?.cli("DBSIZE"), "1");
});
