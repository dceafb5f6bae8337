import assert from "node:assert/strict";
import { findRedis } from "../../lib/cli/redis/redis_binary.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { Script } from "../../lib/redis/script.ts";
import { COMMIT } from "../../lib/redis/scripts/commit.lua.ts";
import { range } from "../_support/fill.ts";
import { Partition } from "../_support/partition.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { cutTail, tailSize } from "./data_folder.ts";

const A_COMMIT = new RegExp(new Script(COMMIT).sha);
const PREFIX = "rn";

/** A redis-server that died in the middle of a write, as a kill leaves it. */
async function tear(
  redis: RedisServer,
  { write, at }: {
    /** What has left only its beginning. */
    readonly write: () => Promise<unknown>;
    /** How much of it, from 0 to 1. */
    readonly at: number;
  },
): Promise<void> {
  const before = await tailSize(redis);
  await write();
  const after = await tailSize(redis);
  await redis.kill9();
  const left = Math.min(after - before - 1, Math.ceil(at * (after - before)));
  await cutTail(redis, after - before - left);
}

/** What is stored of a topic, oldest first. */
async function stored({ store }: Partition, topic: string): Promise<unknown[]> {
  const entries = await store.history({ topic, count: 1_000, descending: false });
  return entries.map(({ message }) => JSON.parse(message.body).data);
}

Deno.test("a commit that was torn anywhere is gone at the next start and at all that follow, and what was acknowledged is there", async () => {
  await using redis = await startRedis();
  await using proxy = startProxy({ port: redis.port });
  const told: unknown[] = [];
  for (const [round, at] of [0.02, 0.2, 0.4, 0.6, 0.8, 0.97, 1].entries()) {
    await using partition = new Partition(redis.url, { prefix: PREFIX });
    await using cut = partition.another({ url: `redis://127.0.0.1:${proxy.port}` });
    const commit = (what: string) =>
      range(0, 50).map((n) => JSON.stringify({ data: `${what}${n}` }));
    const lane = `lane-${round}`;
    const first = commit(`${round}a`);
    await partition.commit({ t: first }, { lane, number: 1 });
    const { done } = proxy.cutAfterRequest(A_COMMIT);
    const second = { t: commit(`${round}b`) };
    // Redis did it, and nobody was told
    const write = async () => {
      await assert.rejects(cut.commit(second, { lane, number: 2 }), { outcome: "unknown" });
      await done;
    };
    await tear(redis, { write, at });
    await redis.restart();
    told.push(...first.map((body) => JSON.parse(body).data));
    assert.deepEqual(await stored(partition, "t"), told, `cut at ${at}`);
    // the writer asks again, as it does after an answer that was lost
    await partition.commit(second, { lane, number: 2 });
    told.push(...second.t.map((body) => JSON.parse(body).data));
    for (let start = 0; start < 2; start++) {
      await redis.kill9();
      await redis.restart();
      assert.deepEqual(await stored(partition, "t"), told, `cut at ${at}`);
    }
  }
});

/** Publishes what is due, half of which is torn; and again after a restart; and restarts once more. */
async function fireTwice({ repair }: { readonly repair: boolean }): Promise<unknown[]> {
  await using redis = await startRedis();
  await using partition = new Partition(redis.url, { prefix: PREFIX });
  const options = JSON.stringify({ at: 1, nonce: "0123456789abcdef" });
  await partition.commit({
    t: range(0, 100).map((n) => ({ body: JSON.stringify({ data: n }), options })),
  });
  const fire = (number: number) =>
    partition.store.schedule.fire({ lane: "fire", number, count: 100 });
  await tear(redis, { write: () => fire(1), at: 0.3 });
  await redis.restart({ repair });
  assert.equal((await fire(1)).fired, 100);
  await redis.kill9();
  await redis.restart({ repair });
  return await stored(partition, "t");
}

Deno.test("scheduled messages are published once though redis-server is killed with -9 in the middle of writing that down", async () => {
  assert.deepEqual(await fireTwice({ repair: true }), range(0, 100));
});

// Valkey is about to cut before a transaction by itself
const version = (await findRedis()).usable?.version ?? "";

Deno.test({
  name: "twin: where nobody repairs its file, Redis 7.0 publishes them again at its second start",
  ignore: !version.startsWith("7.0."),
  fn: async () => {
    const seen = await fireTwice({ repair: false });
    assert.ok(seen.length > 110, `${seen.length} messages`);
    assert.equal(new Set(seen).size, 100);
  },
});

Deno.test("a file that is wrong in another way is left to Redis, which refuses it", async () => {
  await using redis = await startRedis();
  await redis.cli("SET", "a", "1");
  const path = `${redis.dir}/appendonlydir/appendonly.aof.1.incr.aof`;
  await redis.kill9();
  const good = await Deno.readTextFile(path);
  const wrong = good.replace("SET", "S\rT") + good.replace("$3", "$2");
  await Deno.writeTextFile(path, wrong);
  await assert.rejects(redis.restart(), { name: "ServerStartError" });
  assert.equal(await Deno.readTextFile(path), wrong);
});
