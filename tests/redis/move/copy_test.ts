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
import { startTraffic, type Traffic } from "../../_support/traffic.ts";
import { until } from "../../_support/until.ts";

type Dump = Map<string, unknown>;

const keys = new Keys({ prefix: "rn", partition: 0, db: 0 });

/**
 * What a place holds, but for what belongs to the place or expires soon: each key's value and when it expires.
 *
 * @param soon in milliseconds since 1970
 */
async function dump(node: RedisNode, soon: number): Promise<Dump> {
  return await node.run(async (client) => {
    const found = (await client.keys(`${keys.base}:*`)).sort();
    const all = new Map<string, unknown>();
    await Promise.all(found.map(async (key) => {
      const rest = key.slice(keys.base.length + 1);
      if (staysBehind(rest)) return;
      const value = await valueOf(client, key);
      const expires = Number(await client.call("PEXPIRETIME", key));
      if (value !== undefined && (expires < 0 || expires > soon)) all.set(rest, [value, expires]);
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

interface Comparison extends AsyncDisposable {
  readonly source: RedisNode;
  readonly traffic: Traffic;
  /**
   * Copies the partition to another place under traffic, up to the moment when it would be given up.
   *
   * @param options.forgetMarks what was written meanwhile is not known; a cure that a twin turns off
   * @returns what is here and there then
   */
  copy(options?: { forgetMarks?: boolean }): Promise<[here: Dump, there: Dump]>;
}

async function startComparison(seed: number): Promise<Comparison> {
  await using stack = new AsyncDisposableStack();
  const [a, b] = [
    stack.use(await startRedis({ appendonly: false })),
    stack.use(await startRedis({ appendonly: false })),
  ];
  const runnel = stack.use(await openRunnel({ redisUrl: a.url }));
  const source = stack.use(new RedisNode(redisOptionsOf(a.url)));
  const target = stack.use(new RedisNode(redisOptionsOf(b.url)));
  const traffic = stack.use(
    startTraffic({ url: runnel.url, random: randomSource(seed), clients: 4 }),
  );
  const place = { node: target, base: keys.base };
  const all = stack.move();
  const goOn = async () => {
    const before = traffic.done.get("publish") ?? 0;
    await until(() => (traffic.done.get("publish") ?? 0) > before + 30, { what: "some traffic" });
  };
  let round = 0;
  return {
    source,
    traffic,
    async copy({ forgetMarks = false } = {}) {
      let dumps: [Dump, Dump] | undefined;
      await using move = new PartitionMove({
        from: { node: source, keys },
        to: [place],
        planOf: movePlan(place),
        token: `round${round++}`,
        settle: async () => {
          const soon = Date.now() + 2_000;
          dumps = await Promise.all([dump(source, soon), dump(target, soon)]);
          // it stays where it is
          throw new Stay();
        },
      });
      await goOn();
      await move.prepare();
      await goOn();
      if (forgetMarks) await source.run((client) => client.unlink(keys.marks));
      await assert.rejects(move.commit({ state: "moved", to: "x y z" }), Stay);
      await until(() => isOpen(source), { what: "it to be open again" });
      assert.ok(dumps !== undefined);
      return dumps;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

Deno.test("PartitionMove brings every key as it is, whatever is done to the partition while it moves", async () => {
  await using comparison = await startComparison(81);
  for (const _ of range(0, 8)) {
    const [here, there] = await comparison.copy();
    assert.ok(here.size > 10);
    assert.deepEqual(there, here);
  }
  assert.deepEqual(comparison.traffic.failures, []);
});

Deno.test("without the marks PartitionMove would leave behind what is written while it moves", async () => {
  await using comparison = await startComparison(82);
  const [here, there] = await comparison.copy({ forgetMarks: true });
  assert.notDeepEqual(there, here);
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
