import assert from "node:assert/strict";
import { openRunnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { type RedisServerOptions, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { type Publishers, startPublishers } from "./publishers.ts";
import { assertBroken, assertFaultless, type Fault, judge } from "./verdict.ts";
import { CROWD, TOPICS, watchAll, type Watcher } from "./watcher.ts";

interface Run {
  readonly faults: readonly Fault[];
  readonly publishers: Publishers;
  readonly watchers: readonly Watcher[];
}

async function killWhilePublishing(
  { kills, seed, resumes = true, redis: redisOptions = {} }: {
    kills: number;
    seed: number;
    redis?: RedisServerOptions;
    resumes?: boolean;
  },
): Promise<Run> {
  const random = randomSource(seed);
  await using redis = await startRedis(redisOptions);
  await using runnel = await openRunnel({ redisUrl: redis.url });
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, { urls, random, resumes });
  await using publishers = startPublishers({ urls, topics: TOPICS, seed, single: 16, batches: 4 });
  for (let kill = 0; kill < kills; kill++) {
    await publishers.progress(300 + Math.floor(random() * 1_000));
    await redis.kill9();
    await redis.restart();
  }
  await publishers.progress(200);
  await publishers.stop();
  const { watchers } = crowd;
  const { acknowledged } = publishers;
  const faults = await judge({
    url: runnel.url,
    topics: TOPICS,
    acknowledged,
    watchers,
    // whoever does not resume may never see the last message
    timeoutMs: resumes ? 20_000 : 1_000,
  });
  return { faults, publishers, watchers };
}

Deno.test("publish() and subscribe() keep their promises while redis-server is killed with -9 six times under full load", async () => {
  const { faults, publishers, watchers } = await killWhilePublishing({ kills: 6, seed: 1 });
  assertFaultless(faults);
  assert.ok(publishers.acknowledged.length > 1_500, `${publishers.acknowledged.length} messages`);
  for (const watcher of watchers) {
    const { stays, connections, name } = watcher;
    if (stays) assert.equal(connections, 1, `${name} lost its stream`);
    else assert.ok(connections > 5, `${name} dropped ${connections} times`);
  }
});

Deno.test("twin: where Redis writes no file, killing it loses what was acknowledged, and subscribers are told", async () => {
  const { faults } = await killWhilePublishing({ kills: 1, seed: 2, redis: { appendonly: false } });
  assertBroken(faults, "lost", "gap announced");
});

Deno.test("twin: subscribers that come back without the last event id miss messages", async () => {
  const { faults } = await killWhilePublishing({ kills: 1, seed: 3, resumes: false });
  assertBroken(faults, "missed");
});
