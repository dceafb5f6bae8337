import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import { range } from "../_support/fill.ts";
import { readHistory } from "../_support/history.ts";
import { publish } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { reshardTo } from "../_support/reshard.ts";
import { until } from "../_support/until.ts";
import { putGroup } from "../_support/work.ts";
import { reshardThroughKills } from "./coordinator.ts";
import { type Consumers, startConsumers } from "./consumers.ts";
import { type Publishers, startPublishers } from "./publishers.ts";
import { assertFaultless, judge } from "./verdict.ts";
import { CROWD, TOPICS, watchAll, type Watcher } from "./watcher.ts";

const LATER = "later";

interface Load {
  readonly seed: number;
  /** REDIS_URL of the instances. */
  readonly urls: readonly string[];
  readonly partitions: number;
  /** What happens while there is load. */
  readonly change: (
    parts: { readonly publishers: Publishers; readonly instances: readonly Runnel[] },
  ) => Promise<void>;
  readonly partitionsAfter?: number;
}

/** Runs everything at full speed while something changes, and judges what came of it. */
async function underLoad(load: Load): Promise<readonly Watcher[]> {
  const { seed, partitions, partitionsAfter = partitions } = load;
  const env = { RUNNEL_PARTITIONS: `${partitions}` };
  const open = () => openRunnel({ redisUrl: load.urls.join(" "), env });
  await using a = await open();
  await using b = await open();
  const urls = [a.url, b.url];
  const groups = [{ topic: "alone", group: "g" }, { topic: "orders.*", group: "g" }];
  for (const names of groups) await putGroup(a.url, { ...names, since: "earliest" });
  await using crowd = await watchAll(CROWD, { urls, random: randomSource(seed) });
  await using publishers = startPublishers({ urls, topics: TOPICS, seed });
  await using stack = new AsyncDisposableStack();
  const consumers = groups.map((names, i) =>
    stack.use(startConsumers({ urls, ...names, count: 2, seed: seed + i, leaseMs: 60_000 }))
  );
  const later = await schedule(a.url, 40);
  await publishers.progress(300);
  await load.change({ publishers, instances: [a, b] });
  await publishers.progress(300);
  await publishers.stop();
  const { acknowledged } = publishers;
  const { watchers } = crowd;
  const evidence = { url: b.url, topics: TOPICS, acknowledged, watchers };
  assertFaultless(await judge({ ...evidence, partitions: partitionsAfter }));
  for (const [i, { topic }] of groups.entries()) {
    const theirs = acknowledged.filter((one) =>
      topic === one.topic || topic === `${one.topic.split(".")[0]}.*`
    );
    await checkWork(consumers[i], { ids: theirs.map(({ id }) => id), partitionsAfter });
  }
  await checkLater(b.url, later);
  return watchers;
}

async function schedule(url: string, count: number): Promise<string[]> {
  const names = range(0, count).map((i) => `later-${i}`);
  for (const [i, n] of names.entries()) {
    const message = { topic: LATER, data: { n }, delayMs: 100 + i * 150 };
    assert.equal((await publish(url, message)).status, 200);
  }
  return names;
}

async function checkLater(url: string, names: readonly string[]): Promise<void> {
  const found = async () => (await readHistory(url, LATER)).map(({ data }) => dataName(data));
  await until(async () => (await found()).length >= names.length, { what: "what was due" });
  assert.deepEqual(await found(), names);
}

function dataName(data: unknown): string {
  // what this test publishes
  return (data as { n: string }).n;
}

/** Every message was worked on once: leases are long, and nobody crashes. */
async function checkWork(
  consumers: Consumers | undefined,
  { ids, partitionsAfter }: { ids: readonly string[]; partitionsAfter: number },
): Promise<void> {
  assert.ok(consumers !== undefined);
  // the ids of groups over several partitions have the partition before them
  const unseen = () => {
    const seen = new Set([...consumers.acked.keys()].map((id) => id.replace(/^\d+\./, "")));
    return ids.filter((id) => !seen.has(id));
  };
  await until(() => unseen().length === 0, { timeoutMs: 30_000, what: "all to be worked on" });
  const twice = [...consumers.given].filter(([, given]) => given.length > 1);
  assert.deepEqual(twice, [], `of ${partitionsAfter} partitions`);
  await consumers.stop();
}

Deno.test("reshard moves partitions to added and from removed Redis under load, and nobody is cut off", async () => {
  await using topology = await startTopology("shards", { shards: 4 });
  const [a = "", b = "", c = "", d = ""] = topology.env.REDIS_URL.split(" ");
  let longestPauseMs = 0;
  const watchers = await underLoad({
    seed: 91,
    urls: [a, b],
    partitions: 8,
    change: async ({ publishers }) => {
      for (const [from, to] of [[[a, b], [a, b, c]], [[a, b, c], [d, c]], [[d, c], [a]]] as const) {
        const result = await reshardTo({ from, to });
        longestPauseMs = Math.max(longestPauseMs, result.longestPauseMs);
        assert.ok(result.moved > 0);
        await publishers.progress(200);
      }
    },
  });
  assert.ok(longestPauseMs < 1_000, `publishing paused for ${longestPauseMs} ms`);
  for (const { stays, connections, byes } of watchers) {
    if (stays) assert.deepEqual([connections, byes], [1, []]);
  }
});

Deno.test("reshard moves partitions to a Sentinel set and back under load", async () => {
  await using alone = await startRedis();
  await using set = await startTopology("sentinel");
  const [from, to] = [alone.url, set.env.REDIS_URL];
  let longestPauseMs = 0;
  await underLoad({
    seed: 95,
    urls: [from],
    partitions: 4,
    change: async ({ publishers }) => {
      for (const way of [{ from: [from], to: [to] }, { from: [to], to: [from] }]) {
        const result = await reshardTo(way);
        longestPauseMs = Math.max(longestPauseMs, result.longestPauseMs);
        assert.equal(result.moved, 4);
        await publishers.progress(200);
      }
    },
  });
  assert.ok(longestPauseMs < 1_000, `publishing paused for ${longestPauseMs} ms`);
});

Deno.test("reshard grows one Redis with one partition into many on several under load", async () => {
  await using topology = await startTopology("shards", { shards: 3 });
  const [a = "", ...others] = topology.env.REDIS_URL.split(" ");
  const watchers = await underLoad({
    seed: 92,
    urls: [a],
    partitions: 1,
    partitionsAfter: 16,
    change: async () => {
      const { longestPauseMs, partitions } = await reshardTo({
        from: [a],
        to: [a, ...others],
      });
      assert.equal(partitions, 16);
      assert.ok(longestPauseMs < 1_000, `publishing paused for ${longestPauseMs} ms`);
    },
  });
  for (const { stays, connections, byes, refusals } of watchers) {
    assert.deepEqual(refusals, []);
    if (stays) assert.deepEqual([connections, byes.map(({ reason }) => reason)], [2, ["moved"]]);
  }
});

Deno.test("reshard is finished by another run, wherever it was killed with -9", async () => {
  await using topology = await startTopology("shards", { shards: 3 });
  const [a = "", b = "", c = ""] = topology.env.REDIS_URL.split(" ");
  const watchers = await underLoad({
    seed: 93,
    urls: [a, b],
    partitions: 8,
    change: async () => {
      const random = randomSource(93);
      const env = { REDIS_URL: [a, b].join(" ") };
      const said = await reshardThroughKills({ env, to: [b, c], kills: 4, random });
      assert.match(said, /Done: 8 partitions on 2 Redis/);
    },
  });
  for (const { stays, connections } of watchers) if (stays) assert.equal(connections, 1);
});

Deno.test("growing is finished by another run, wherever it was killed with -9", async () => {
  await using topology = await startTopology("shards", { shards: 2 });
  const [a = "", b = ""] = topology.env.REDIS_URL.split(" ");
  await underLoad({
    seed: 94,
    urls: [a],
    partitions: 1,
    partitionsAfter: 8,
    change: async () => {
      const random = randomSource(94);
      const options = { env: { REDIS_URL: a }, to: [a, b], partitions: 8 };
      const said = await reshardThroughKills({ ...options, kills: 3, random });
      assert.match(said, /Done: 8 partitions on 2 Redis/);
    },
  });
});
