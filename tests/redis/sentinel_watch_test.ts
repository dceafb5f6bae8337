import assert from "node:assert/strict";
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import type { Endpoint } from "../../lib/redis/options.ts";
import { SentinelWatch, type SentinelWatchOptions } from "../../lib/redis/sentinel_watch.ts";
import { startFakeSentinel } from "../_support/fake_sentinel.ts";
import { startLoneSentinel } from "../_support/lone_sentinel.ts";
import { redisOptionsOf } from "../_support/partition.ts";
import { until } from "../_support/until.ts";

function watchAt(
  sentinels: readonly Pick<RedisServer, "port">[],
  options: SentinelWatchOptions = {},
) {
  const primaries: Endpoint[] = [];
  const failures: unknown[] = [];
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
  const watch = new SentinelWatch(redisOptionsOf(`redis+sentinel://${hosts}/set`), {
    onPrimary: (endpoint) => void primaries.push(endpoint),
    onFailure: (failure) => void failures.push(failure),
  }, options);
  return { watch, primaries, failures };
}

/** Whether a listener has asked a Sentinel who is the primary. */
async function wasAsked(sentinel: RedisServer): Promise<boolean> {
  const listeners = (await sentinel.cli("CLIENT", "LIST")).split("\n")
    .filter((line) => / sub=1 /.test(line));
  return listeners.some((line) => / cmd=(sentinel|ping)/.test(line));
}

Deno.test("SentinelWatch says who is the primary, also where the first Sentinel is away", async () => {
  await using a = await startLoneSentinel(7001, 3);
  await using b = await startLoneSentinel(7001, 3);
  await a.kill9();
  const { watch, primaries, failures } = watchAt([a, b]);
  await using _ = watch;
  watch.start();
  await until(() => primaries.length > 0);
  assert.deepEqual(primaries[0], { host: "127.0.0.1", port: 7001 });
  assert.equal(failures.length, 1);
});

Deno.test("SentinelWatch does not hear a Sentinel that knows less than was known", async () => {
  await using behind = await startLoneSentinel(7002, 3);
  await using ahead = await startLoneSentinel(7001, 5);
  const { watch, primaries } = watchAt([ahead, behind]);
  await using _ = watch;
  watch.start();
  await until(() => primaries.length > 0);
  await ahead.kill9();
  await until(() => wasAsked(behind), { what: "the one that is behind to be asked" });
  assert.deepEqual([...new Set(primaries.map(({ port }) => port))], [7001]);
  await ahead.restart();
  const before = primaries.length;
  watch.doubt();
  await until(() => primaries.length > before, { timeoutMs: 20_000 });
  assert.equal(primaries.at(-1)?.port, 7001);
});

Deno.test("SentinelWatch stays with a new primary while most Sentinels have not heard of it", async () => {
  await using ahead = await startLoneSentinel(7001, 5);
  await using second = await startLoneSentinel(7002, 3);
  await using third = await startLoneSentinel(7002, 3);
  const { watch, primaries, failures } = watchAt([ahead, second, third]);
  await using _ = watch;
  watch.start();
  await until(() => primaries.length > 0);
  // both are asked before the first one is again
  await until(() => {
    if (failures.length < 2) watch.doubt();
    return failures.length >= 2;
  }, { everyMs: 100 });
  await until(() => {
    watch.doubt();
    return primaries.length > 1;
  }, { everyMs: 100 });
  assert.deepEqual([...new Set(primaries.map(({ port }) => port))], [7001]);
});

Deno.test("SentinelWatch follows Sentinels that were set up anew, and count from the beginning", async () => {
  await using stack = new AsyncDisposableStack();
  const all = [];
  for (let i = 0; i < 3; i++) all.push(stack.use(await startLoneSentinel(7001, 5)));
  const { watch, primaries, failures } = watchAt(all, { settleMs: 1_000 });
  await using _ = watch;
  watch.start();
  await until(() => primaries.length > 0);
  for (const sentinel of all) {
    await sentinel.cli("SENTINEL", "REMOVE", "set");
    await sentinel.cli("SENTINEL", "MONITOR", "set", "127.0.0.1", "7003", "2");
  }
  await until(() => {
    watch.doubt();
    return primaries.at(-1)?.port === 7003;
  }, { timeoutMs: 20_000, everyMs: 500 });
  assert.ok(failures.length > 0, "and that one of them knew less is told");
});

Deno.test("SentinelWatch stays with a new primary while the Sentinel that leads the failover still names the old one", async () => {
  await using told = startFakeSentinel({ port: 7002, epoch: 5, flags: "master" });
  await using leader = startFakeSentinel({
    port: 7001,
    epoch: 5,
    flags: "master,failover_in_progress",
  });
  const { watch, primaries } = watchAt([told, leader]);
  await using _ = watch;
  watch.start();
  await until(() => primaries.length > 0);
  await until(() => {
    watch.doubt();
    return leader.asked > 1;
  }, { everyMs: 100 });
  assert.deepEqual([...new Set(primaries.map(({ port }) => port))], [7002]);
});
