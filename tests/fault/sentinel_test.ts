import assert from "node:assert/strict";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type { Topology, TopologyOptions } from "../../lib/cli/topology/topology.ts";
import { publish } from "../_support/http.ts";
import { randomSource } from "../_support/random.ts";
import { startLoneSentinel } from "../_support/lone_sentinel.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { openOn, primariesOf, roleOf } from "../_support/topologies.ts";
import { until } from "../_support/until.ts";
import { type Publishers, startPublishers } from "./publishers.ts";
import { assertFaultless, type Fault, judge } from "./verdict.ts";
import { CROWD, TOPICS, watchAll, type Watcher } from "./watcher.ts";

interface Run {
  readonly faults: readonly Fault[];
  readonly publishers: Publishers;
  readonly watchers: readonly Watcher[];
  /** From the promotion of a replica until the next message was stored, in milliseconds. */
  readonly pauseMs: number;
}

/** When a replica has become the primary. */
async function promotion(topology: Topology, before: RedisServer): Promise<void> {
  await until(async () => (await primariesOf(topology, before)).length > 0, {
    timeoutMs: 30_000,
    everyMs: 20,
    what: "a replica to be promoted",
  });
}

/** When a message is stored that waits for no replica. */
async function stored(url: string): Promise<void> {
  await until(async () => (await publish(url, { topic: "probe", data: 1 })).status === 200, {
    timeoutMs: 20_000,
    everyMs: 20,
    what: "a message to be stored",
  });
}

async function failOver(
  options: TopologyOptions,
  { seed, kill, durability }: {
    seed: number;
    kill: (primary: RedisServer) => Promise<void>;
    durability?: "replicated";
  },
): Promise<Run> {
  await using topology = await startTopology("sentinel", options);
  await using runnel = await openOn(topology);
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, {
    urls,
    random: randomSource(seed),
    silenceMs: 30_000,
  });
  await using publishers = startPublishers({
    ...{ urls, topics: TOPICS, seed, patienceMs: 40_000 },
    // all of them: a Sentinel may promote either
    ...(durability === undefined ? {} : { durability, replicas: 2 }),
  });
  await publishers.progress(500);
  const [primary] = await primariesOf(topology);
  assert.ok(primary !== undefined);
  await kill(primary);
  await promotion(topology, primary);
  const promotedAt = performance.now();
  await stored(runnel.url);
  const pauseMs = performance.now() - promotedAt;
  await primary.restart();
  await until(async () => await roleOf(primary) === "slave", { timeoutMs: 30_000 });
  await publishers.progress(500, 20_000);
  await publishers.stop();
  const { acknowledged } = publishers;
  const { watchers } = crowd;
  const faults = await judge({ url: runnel.url, topics: TOPICS, acknowledged, watchers });
  return { faults, publishers, watchers, pauseMs };
}

Deno.test("publish() with durability replicated and subscribe() keep their promises while the primary of a Sentinel set is killed with -9", async () => {
  const { faults, watchers, pauseMs } = await failOver({}, {
    seed: 61,
    kill: (primary) => primary.kill9(),
    durability: "replicated",
  });
  // what was not acknowledged may be lost: to subscribers that saw it, that is announced
  const announced = new Set(["gap announced", "never stored"]);
  assertFaultless(faults.filter(({ kind }) => !announced.has(kind)));
  for (const { stays, connections } of watchers) if (stays) assert.equal(connections, 1);
  assert.ok(pauseMs < 2_000, `publishing was back ${Math.round(pauseMs)} ms after the promotion`);
});

Deno.test("publish() and subscribe() keep their promises through a failover with passwords and TLS, of data and Sentinels apart", async () => {
  const { faults, pauseMs } = await failOver(
    { password: "data", sentinelPassword: "sentinel", tls: true, sentinelTls: false },
    { seed: 62, kill: (primary) => primary.kill9() },
  );
  const announced = new Set(["gap announced", "never stored", "lost"]);
  assertFaultless(faults.filter(({ kind }) => !announced.has(kind)));
  assert.ok(pauseMs < 2_000, `publishing was back ${Math.round(pauseMs)} ms after the promotion`);
});

Deno.test("a primary that was frozen and comes back as one is neither read nor written", async () => {
  await using topology = await startTopology("sentinel");
  await using runnel = await openOn(topology);
  await using late = await openOn(topology);
  const urls = [runnel.url, late.url];
  await using crowd = await watchAll(CROWD, {
    urls,
    random: randomSource(63),
    silenceMs: 30_000,
  });
  await using publishers = startPublishers({
    ...{ urls, topics: TOPICS, seed: 63, patienceMs: 40_000 },
    ...{ durability: "replicated", replicas: 2 },
  });
  await publishers.progress(300);
  const [primary] = await primariesOf(topology);
  assert.ok(primary !== undefined);
  primary.pause();
  await promotion(topology, primary);
  await stored(late.url);
  // it takes itself for the primary until a Sentinel tells it otherwise
  primary.resume();
  await until(async () => await roleOf(primary) === "slave", { timeoutMs: 30_000 });
  await publishers.progress(300, 20_000);
  await publishers.stop();
  const { acknowledged } = publishers;
  const faults = await judge({
    url: runnel.url,
    topics: TOPICS,
    acknowledged,
    watchers: crowd.watchers,
  });
  const announced = new Set(["gap announced", "never stored"]);
  assertFaultless(faults.filter(({ kind }) => !announced.has(kind)));
  const { status } = await publish(late.url, { topic: "alone", data: { n: "after" } });
  assert.equal(status, 200);
});

Deno.test("a former primary that starts again before a Sentinel tells of the new one is neither read nor written", async () => {
  await using former = await startRedis();
  await using promoted = await startRedis();
  await using behind = await startLoneSentinel(former.port, 3);
  await using ahead = await startLoneSentinel(promoted.port, 4);
  await ahead.kill9();
  const hosts = [behind, ahead].map(({ port }) => `127.0.0.1:${port}`).join(",");
  await using runnel = await openRunnel({ redisUrl: `redis+sentinel://${hosts}/set` });
  await stored(runnel.url);
  const keys = await former.cli("KEYS", "*:meta");
  const before = await former.cli("HMGET", keys, "run", "gen", "clock");
  await ahead.restart();
  await former.restart();
  await stored(runnel.url);
  assert.equal(await former.cli("HMGET", keys, "run", "gen", "clock"), before);
  assert.notEqual(await promoted.cli("EXISTS", keys), "0");
});

Deno.test("a promoted replica that starts again is still the primary, and its predecessor still a replica", async () => {
  await using topology = await startTopology("sentinel");
  const [primary] = await primariesOf(topology);
  assert.ok(primary !== undefined);
  await primary.kill9();
  await promotion(topology, primary);
  const [promoted] = await primariesOf(topology, primary);
  assert.ok(promoted !== undefined);
  await primary.restart();
  await until(async () => await roleOf(primary) === "slave", { timeoutMs: 30_000 });
  for (const server of [promoted, primary]) await server.restart();
  assert.deepEqual(
    await Promise.all([promoted, primary].map((server) => roleOf(server))),
    ["master", "slave"],
  );
});
