import assert from "node:assert/strict";
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import { isConfirmed, pollSentinels } from "../../lib/redis/sentinel_poll.ts";
import type { SentinelView } from "../../lib/redis/sentinel_view.ts";
import { startLoneSentinel } from "../_support/lone_sentinel.ts";
import { redisOptionsOf } from "../_support/partition.ts";

const PRIMARY = { host: "10.0.0.1", port: 6379 };
const NEVER = new AbortController().signal;

function view(changes: Partial<SentinelView> = {}): SentinelView {
  return {
    primary: PRIMARY,
    epoch: 3,
    isDown: false,
    isReplaced: false,
    replicas: 2,
    sentinels: 3,
    quorum: 2,
    ...changes,
  };
}

Deno.test("isConfirmed() tells a primary that stays from one that is replaced", async (t) => {
  const other = { host: "10.0.0.2", port: 6379 };
  const cases: [what: string, views: SentinelView[], expected: boolean][] = [
    ["all stand by it", [view(), view(), view()], true],
    ["one answers alone", [view()], true],
    ["nobody answers", [], false],
    ["one knows a later primary", [view(), view({ epoch: 4, primary: other }), view()], false],
    ["one replaces it", [view(), view({ isReplaced: true }), view()], false],
    ["one alone finds it down", [view(), view({ isDown: true }), view()], true],
    ["enough find it down", [view({ isDown: true }), view({ isDown: true }), view()], false],
    ["one is behind", [view(), view({ epoch: 2, primary: other, isReplaced: true })], true],
    ["all are behind", [view({ epoch: 2 }), view({ epoch: 2 })], false],
    ["one leads its promotion", [view(), view({ primary: other, isReplaced: true })], true],
    ["all name another", [view({ primary: other }), view({ primary: other })], false],
  ];
  for (const [what, views, expected] of cases) {
    await t.step(what, () => {
      assert.equal(isConfirmed(views, { epoch: 3, primary: PRIMARY }), expected);
    });
  }
});

function optionsFor(sentinels: readonly RedisServer[]) {
  const hosts = sentinels.map(({ port }) => `127.0.0.1:${port}`).join(",");
  return redisOptionsOf(`redis+sentinel://${hosts}/set`, { connectTimeoutMs: 5_000 });
}

Deno.test("pollSentinels() goes on without one that is frozen, or where some are dead", async () => {
  await using a = await startLoneSentinel(7001, 3);
  await using b = await startLoneSentinel(7001, 3);
  await using frozen = await startLoneSentinel(7001, 3);
  frozen.pause();
  const start = performance.now();
  const views = await pollSentinels(optionsFor([frozen, a, b]), NEVER);
  const named = { host: "127.0.0.1", port: 7001 };
  assert.deepEqual(views.map(({ primary }) => primary), [named, named]);
  assert.ok(performance.now() - start < 4_000);
  for (const dead of [frozen, b]) await dead.kill9();
  const [view, ...others] = await pollSentinels(optionsFor([frozen, a, b]), NEVER);
  assert.deepEqual([view?.primary, others], [named, []]);
});

Deno.test("pollSentinels() ends with its signal", async () => {
  await using frozen = await startLoneSentinel(7001, 3);
  frozen.pause();
  const stop = new AbortController();
  const poll = pollSentinels(optionsFor([frozen]), stop.signal);
  stop.abort();
  assert.deepEqual(await poll, []);
  frozen.resume();
});
