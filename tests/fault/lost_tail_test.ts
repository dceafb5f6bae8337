import assert from "node:assert/strict";
import { generationOf, parseId } from "../../lib/codec/id.ts";
import { publishId } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { PartitionStore } from "../../lib/redis/store.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { until } from "../_support/until.ts";
import { cutTail, restoreData, saveData } from "./data_folder.ts";
import { assemble, CollectedStream } from "./parts.ts";
import { startPublishers } from "./publishers.ts";
import { assertFaultless, judge } from "./verdict.ts";
import { CROWD, TOPICS, watchAll } from "./watcher.ts";

interface Loss {
  /** Called while publishers run, before what will be lost is published. */
  readonly before: (redis: RedisServer) => Promise<void>;
  /** Called with redis-server killed. */
  readonly lose: (redis: RedisServer) => Promise<void>;
}

async function loseTail({ before, lose }: Loss, seed: number): Promise<void> {
  const random = randomSource(seed);
  await using redis = await startRedis({ appendfsync: "everysec" });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, { urls, random });
  await using publishers = startPublishers({ urls, topics: TOPICS, seed });
  await publishers.progress(300);
  await before(redis);
  await publishers.progress(300);
  await redis.kill9();
  await lose(redis);
  await redis.restart();
  await publishers.progress(300);
  await publishers.stop();
  const { acknowledged } = publishers;
  const { watchers } = crowd;
  const faults = await judge({ url: runnel.url, topics: TOPICS, acknowledged, watchers });
  // what the disk lost is lost; everything else holds, and whoever saw it is told
  const told = new Set(["lost", "never stored", "gap announced"]);
  assertFaultless(faults.filter(({ kind }) => !told.has(kind)));
  assert.ok(faults.some(({ kind }) => kind === "lost"), "nothing was lost: the test tests nothing");
  assert.equal(new Set(acknowledged.map(({ id }) => id)).size, acknowledged.length);
  for (const { name, gaps } of watchers) {
    assert.deepEqual(gaps.map(({ reason }) => reason), ["failover"], name);
  }
}

Deno.test("subscribe() announces what a Redis lost that came back with older data, and gives the rest once and in order", async () => {
  let saved = "";
  await loseTail({
    before: async (redis) => void (saved = await saveData(redis)),
    lose: (redis) => restoreData(redis, saved),
  }, 31);
});

Deno.test("subscribe() announces what a Redis lost whose file was cut short, and gives the rest once and in order", async () => {
  await loseTail({
    before: () => Promise.resolve(),
    lose: (redis) => cutTail(redis, 20_000),
  }, 32);
});

Deno.test("publish() gives out higher generations from restart to restart, and subscribers see no gap", async () => {
  await using redis = await startRedis();
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await using parts = assemble({ redisUrl: redis.url });
  const stream = await parts.subscribe(["a"]);
  const generations: number[] = [];
  for (let i = 0; i < 5; i++) {
    const id = await until(() => publishId(runnel.url, { topic: "a", data: { n: `${i}` } }));
    generations.push(generationOf(parseId(id) ?? assert.fail(id)));
    await redis.kill9();
    await redis.restart();
  }
  assert.deepEqual(generations, [...new Set(generations)].sort((a, b) => a - b));
  await until(() => stream.seen.length === 5, { what: "all messages" });
  assert.deepEqual([stream.seen, stream.gaps], [["0", "1", "2", "3", "4"], []]);
});

interface Branches {
  /** Ids that were given out and lost, and those given out after. */
  readonly lost: readonly string[];
  readonly later: readonly string[];
  /** What a subscriber that saw the lost ones was given when it came back. */
  readonly seen: readonly string[];
  readonly gaps: number;
}

/** Publishes, loses that, and publishes again, all within one millisecond of Redis's clock: it stands an hour ahead. */
async function branch(
  { beforeAnybodyLooks }: { beforeAnybodyLooks: (redis: RedisServer) => Promise<void> },
): Promise<Branches> {
  await using redis = await startRedis();
  const publishThree = async (what: string) => {
    await using parts = assemble({ redisUrl: redis.url });
    return await parts.publish(...[1, 2, 3].map((i) => ({ topic: "a", n: `${what}${i}` })));
  };
  const [first = ""] = await publishThree("first");
  const { seq } = parseId(first) ?? assert.fail(first);
  await redis.cli("HSET", "{rn:0}:meta", "clock", `${Date.now() + 3_600_000}-${seq + 10}`);
  const saved = await saveData(redis);
  const lost = await publishThree("lost");
  await redis.kill9();
  await restoreData(redis, saved);
  await redis.restart();
  await beforeAnybodyLooks(redis);
  const later = await publishThree("later");
  await using parts = assemble({ redisUrl: redis.url });
  const stream = await parts.subscribe(["a"], { since: lost.at(-1) ?? "" });
  await until(() => stream.state === "live");
  return { lost, later, seen: stream.seen, gaps: stream.gaps.length };
}

Deno.test("publish() never gives out an id twice, so that who saw a lost message gets the one in its place", async () => {
  const { lost, later, seen, gaps } = await branch({ beforeAnybodyLooks: () => Promise.resolve() });
  assert.deepEqual(lost.filter((id) => later.includes(id)), []);
  assert.deepEqual([seen, gaps], [["later1", "later2", "later3"], 1]);
});

Deno.test("twin: where a restart begins no generation, ids are given out twice and messages missed in silence", async () => {
  const { lost, later, seen, gaps } = await branch({
    beforeAnybodyLooks: async (redis) => {
      const info = await redis.cli("INFO", "replication");
      const run = /master_replid:(\w+)/.exec(info)?.[1] ?? "";
      await redis.cli("HSET", "{rn:0}:meta", "run", run);
    },
  });
  assert.deepEqual(later, lost);
  assert.deepEqual([seen, gaps], [[], 0]);
});

/** A client that takes nothing until it is let go. */
class HeldStream extends CollectedStream {
  readonly #gate = Promise.withResolvers<void>();
  #held = true;

  override get backlog(): number {
    return this.#held ? Infinity : 0;
  }

  override drained(): Promise<void> {
    return this.#gate.promise;
  }

  letGo(): void {
    this.#held = false;
    this.#gate.resolve();
  }
}

Deno.test("subscribe() gives each message once to who was reading when a Redis with a slower clock took over", async () => {
  await using redis = await startRedis();
  await using parts = assemble({ redisUrl: redis.url });
  const [first = ""] = await parts.publish({ topic: "a", n: "first" });
  const saved = await saveData(redis);
  const { seq } = parseId(first) ?? assert.fail(first);
  await redis.cli("HSET", "{rn:0}:meta", "clock", `${Date.now() + 3_600_000}-${seq + 10}`);
  await parts.publish({ topic: "a", n: "lost" });
  const sink = new HeldStream();
  await using _ = await parts.subscribe(["a"], { since: "earliest", sink });
  await redis.kill9();
  await restoreData(redis, saved);
  await redis.restart();
  await until(() => parts.publish({ topic: "a", n: "later" }), { what: "Redis to be back" });
  sink.letGo();
  await until(() => sink.state === "live", { what: "the end" });
  assert.deepEqual(sink.seen, ["first", "later"]);
});

Deno.test("publish() and subscribe() keep their promises while Redis is demoted and promoted, which breaks no link", async () => {
  await using redis = await startRedis();
  await using runnel = await openRunnel({ redisUrl: redis.url });
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, { urls, random: randomSource(33) });
  await using publishers = startPublishers({ urls, topics: TOPICS, seed: 33 });
  for (let i = 0; i < 3; i++) {
    await publishers.progress(200);
    await redis.cli("REPLICAOF", "127.0.0.1", "1");
    await until(() => publishers.refusals.has("503 redis_readonly"));
    await redis.cli("REPLICAOF", "NO", "ONE");
    await publishers.progress(200);
  }
  await publishers.stop();
  const { acknowledged } = publishers;
  const { watchers } = crowd;
  assertFaultless(await judge({ url: runnel.url, topics: TOPICS, acknowledged, watchers }));
  for (const { stays, connections } of watchers) if (stays) assert.equal(connections, 1);
});

Deno.test("Feed is live again after such a change though a frame comes whenever it looks at the tail", async () => {
  const frames = { seen: 0 };
  class SlowTail extends PartitionStore {
    override async position(options: Parameters<PartitionStore["position"]>[0]) {
      const { seen } = frames;
      const position = await super.position(options);
      if (busy) await until(() => frames.seen > seen, { everyMs: 1 });
      return position;
    }
  }
  let busy = false;
  await using redis = await startRedis();
  await using parts = assemble({
    redisUrl: redis.url,
    Store: SlowTail,
    feed: { probeMs: 3_600_000 },
    openLink: (open) => (events) =>
      open({
        ...events,
        onMessage: (channel, payload) => {
          if (payload.startsWith("F")) frames.seen++;
          events.onMessage(channel, payload);
        },
      }),
  });
  await using writer = assemble({ redisUrl: redis.url });
  const stream = await parts.subscribe(["a"]);
  await until(() => stream.state === "live");
  await redis.cli("REPLICAOF", "127.0.0.1", "1");
  await redis.cli("REPLICAOF", "NO", "ONE");
  busy = true;
  let n = 0;
  await until(async () => {
    await writer.publish({ topic: "a", n: `${n++}` });
    return n > 10 && stream.state === "live";
  }, { timeoutMs: 5_000, everyMs: 1, what: "the feed to be live" });
  busy = false;
  await until(() => stream.seen.length === n);
  assert.deepEqual(stream.seen, Array.from({ length: n }, (_, i) => `${i}`));
});
