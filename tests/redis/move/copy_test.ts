import assert from "node:assert/strict";
import type { Redis } from "ioredis";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { Keys } from "../../../lib/redis/keys.ts";
import { movePlan, staysBehind } from "../../../lib/redis/move/move_plan.ts";
import { PartitionMove } from "../../../lib/redis/move/partition_move.ts";
import { RedisNode } from "../../../lib/redis/node.ts";
import { TRACK } from "../../../lib/redis/scripts/track.lua.ts";
import { range } from "../../_support/fill.ts";
import { openRunnel } from "../../_support/open_runnel.ts";
import { redisOptionsOf } from "../../_support/partition.ts";
import { randomSource } from "../../_support/random.ts";
import { startTraffic } from "../../_support/traffic.ts";
import { until } from "../../_support/until.ts";

const keys = new Keys({ prefix: "rn", partition: 0, db: 0 });

/** What a place holds, but for what belongs to the place: each key's value and when it expires. */
async function dump(node: RedisNode): Promise<Map<string, unknown>> {
  return await node.run(async (client) => {
    const found = (await client.keys(`${keys.base}:*`)).sort();
    const all = new Map<string, unknown>();
    await Promise.all(found.map(async (key) => {
      const rest = key.slice(keys.base.length + 1);
      if (staysBehind(rest)) return;
      const value = await valueOf(client, key);
      if (value !== undefined) all.set(rest, [value, await client.call("PEXPIRETIME", key)]);
    }));
    return new Map([...all].sort(([a], [b]) => a < b ? -1 : 1));
  });
}

async function valueOf(client: Redis, key: string): Promise<unknown> {
  const type = await client.type(key);
  switch (type) {
    case "string":
      return await client.get(key);
    case "hash": {
      const { run: _, state: _s, to: _t, move: _m, ...fields } = await client.hgetall(key);
      return Object.entries(fields).sort();
    }
    case "set":
      return (await client.smembers(key)).sort();
    case "zset":
      return await client.zrange(key, "0", "-1", "WITHSCORES");
    case "stream": {
      const entries = await client.xrange(key, "-", "+");
      return entries.length === 0 ? undefined : entries;
    }
    default:
      // it has expired meanwhile
      assert.equal(type, "none");
  }
}

Deno.test("PartitionMove brings every key as it is, whatever is done to the partition while it moves", async () => {
  await using a = await startRedis({ appendonly: false });
  await using b = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({ redisUrl: a.url });
  await using source = new RedisNode(redisOptionsOf(a.url));
  await using target = new RedisNode(redisOptionsOf(b.url));
  const random = randomSource(81);
  await using traffic = startTraffic({ url: runnel.url, random, clients: 4 });
  const place = { node: target, base: keys.base };
  for (const round of range(1, 9)) {
    const before = traffic.done.get("publish") ?? 0;
    let compared = 0;
    await using move = new PartitionMove({
      from: { node: source, keys },
      to: [place],
      planOf: movePlan(place),
      token: `round${round}`,
      settle: async () => {
        const [there, here] = await Promise.all([dump(target), dump(source)]);
        assert.deepEqual(there, here);
        compared = here.size;
        // it stays where it is
        throw new Stay();
      },
    });
    await until(() => (traffic.done.get("publish") ?? 0) > before + 30, { what: "some traffic" });
    await move.prepare();
    await until(() => (traffic.done.get("publish") ?? 0) > before + 60, { what: "some traffic" });
    await assert.rejects(move.commit({ state: "moved", to: "x y z" }), Stay);
    assert.ok(compared > 10);
    await until(() => isOpen(source), { what: "it to be open again" });
  }
  assert.deepEqual(traffic.failures, []);
});

async function isOpen(node: RedisNode): Promise<boolean> {
  return await node.run((client) => client.hget(keys.meta, "state")) === "open";
}

class Stay extends Error {}

Deno.test("track() marks what every command writes that a script uses", async () => {
  const READERS = new Set(
    "EXISTS GET HEXISTS HGET HGETALL HKEYS HLEN HMGET INFO PTTL TIME TYPE XLEN XRANGE XREVRANGE ZCARD ZRANGE ZRANGEBYSCORE ZREVRANGE ZSCORE PUBLISH SPUBLISH"
      .split(" "),
  );
  const folder = new URL("../../../lib/redis/scripts/", import.meta.url);
  const used = new Set<string>();
  for await (const { name } of Deno.readDir(folder)) {
    const text = await Deno.readTextFile(new URL(name, folder));
    for (const [, command = ""] of text.matchAll(/\bredis\.p?call\('(\w+)'/g)) used.add(command);
    assert.doesNotMatch(text, /\bredis\.p?call\("/, `${name}: its commands are not seen here`);
  }
  assert.ok(used.has("XADD") && used.has("ZREM"));
  const marked = new Set(
    [...TRACK.matchAll(/\b([A-Z]+) = (?:each|first|function)/g)].map(([, name]) => name),
  );
  assert.deepEqual([...used].filter((name) => !READERS.has(name) && !marked.has(name)), []);
});
