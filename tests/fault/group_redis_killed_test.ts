import assert from "node:assert/strict";
import { send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { type RedisServerOptions, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { until } from "../_support/until.ts";
import { type DescribedGroup, putGroup } from "../_support/work.ts";
import { type Consumers, startConsumers } from "./consumers.ts";

/** Publishes numbers, with keys so that it can be repeated, and gives their ids. */
async function publishAll(url: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let from = 0; from < count; from += 1_000) {
    const json = Array.from({ length: Math.min(1_000, count - from) }, (_, i) => ({
      topic: "jobs",
      data: from + i,
      idempotencyKey: `${from + i}`,
    }));
    const { results } = await until(async () => {
      const { status, body } = await send(`${url}/batch`, { json });
      return status === 200 ? body : undefined;
    }, { what: "a batch to be stored" });
    ids.push(...(results as { id: string }[]).map(({ id }) => id));
  }
  return ids;
}

/** Ids of the messages that became dead letters, each as often as it did. */
async function deadIds(url: string): Promise<string[]> {
  const ids: string[] = [];
  for (let next: unknown = ""; next !== undefined;) {
    const after = next === "" ? "" : `&after=${next}`;
    const path = `${encodeURIComponent("$dead.jobs")}/messages?limit=1000${after}`;
    const { status, body } = await send(`${url}/topics/${path}`);
    if (status === 404) return [];
    const messages = body.messages as { headers: Record<string, string> }[];
    ids.push(...messages.map(({ headers }) => headers["dead-id"] ?? ""));
    next = body.next;
  }
  return ids;
}

/** Fails where deliveries of one message to different leases are not counted up. */
function assertCounted({ given }: Consumers): number {
  let again = 0;
  for (const [id, leases] of given) {
    const sorted = leases.toSorted((a, b) => Number(a.lease) - Number(b.lease));
    for (const [i, { deliveries }] of sorted.entries()) {
      const before = sorted[i - 1]?.deliveries ?? 0;
      assert.ok(deliveries > before, `${id} came as number ${deliveries} after ${before}`);
      if (i > 0) again++;
    }
  }
  return again;
}

interface Run {
  readonly consumers: Consumers;
  readonly dead: readonly string[];
  /** Messages that are neither worked on nor dead letters. */
  readonly lost: readonly string[];
}

async function killWhileWorking(
  { kills, seed, count, redis: redisOptions = {} }: {
    kills: number;
    seed: number;
    count: number;
    redis?: RedisServerOptions;
  },
): Promise<Run> {
  const random = randomSource(seed);
  await using redis = await startRedis(redisOptions);
  await using one = await openRunnel({ redisUrl: redis.url });
  await using two = await openRunnel({ redisUrl: redis.url });
  const { url } = one;
  await putGroup(url, { maxDeliveries: 3 });
  const ids = await publishAll(url, count);
  await using consumers = startConsumers({
    urls: [url, two.url],
    topic: "jobs",
    group: "g",
    count: 4,
    seed,
    leaseMs: 700,
    mischief: { nack: 0.05, crash: 0.03, stall: 0.01 },
  });
  for (let kill = 0; kill < kills; kill++) {
    await consumers.progress(1_000 + Math.floor(random() * 1_500));
    await redis.kill9();
    await redis.restart();
  }
  await until(async () => {
    const { status, body } = await send(`${url}/topics/jobs`);
    // a Redis that kept nothing knows of no group any more
    if (status === 404) return true;
    const [group] = body.groups as DescribedGroup[];
    return group === undefined || group.lag + group.pending === 0;
  }, { timeoutMs: 25_000, what: "the group to be through" });
  await consumers.stop();
  const dead = await deadIds(url);
  const known = new Set([...consumers.worked, ...dead]);
  return { consumers, dead, lost: ids.filter((id) => !known.has(id)) };
}

Deno.test("a group loses nothing while redis-server is killed with -9 and four consumers nack, crash and stall", async () => {
  const { consumers, dead, lost } = await killWhileWorking({ kills: 6, seed: 7, count: 20_000 });
  assert.deepEqual(lost, [], `${lost.length} messages are neither worked on nor dead letters`);
  const { acked, crashes, stalls } = consumers;
  assert.ok(dead.length > 0);
  assert.equal(new Set(dead).size, dead.length, "no message died twice");
  assert.deepEqual(dead.filter((id) => acked.has(id)), [], "what is acknowledged does not die");
  assert.deepEqual([...acked].filter(([, times]) => times > 1), [], "and is done once");
  assert.ok(crashes > 3 && stalls > 0, `${crashes} crashes, ${stalls} stalls`);
  assert.ok(assertCounted(consumers) > 500, "some came again");
});

Deno.test("twin: where Redis writes no file, killing it loses work", async () => {
  const { lost } = await killWhileWorking({
    kills: 1,
    seed: 8,
    count: 20_000,
    redis: { appendonly: false },
  });
  assert.ok(lost.length > 0);
});
