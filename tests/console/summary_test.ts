import assert from "node:assert/strict";
import type { RedisState } from "../../lib/codec/stats.ts";
import { summaryOf } from "../../lib/console/overview/summary.ts";
import { report } from "../_support/stats_reports.ts";

const shard = (changes: Partial<RedisState>): RedisState => ({
  shard: 1,
  latencyMs: 1,
  memoryBytes: 100,
  maxMemoryBytes: 1_000,
  connected: true,
  ...changes,
});

Deno.test("summaryOf() has nothing to say where nobody does", () => {
  assert.equal(summaryOf([]), undefined);
});

Deno.test("summaryOf() counts what is everybody's own, and takes from the newest what is of all", () => {
  const groups = { count: 2, lag: 50, pending: 5, dead: 0 };
  const summary = summaryOf([
    report({ at: 2_000, instance: "a", errors: 1, groups, topics: 9 }),
    report({ at: 1_000, instance: "b", errors: 2, topics: 8 }),
  ]);
  assert.equal(summary?.errors, 3);
  assert.equal(summary?.lag, 50);
  assert.equal(summary?.groups, 2);
  assert.equal(summary?.topics, 9);
});

Deno.test("summaryOf() counts each Redis once, however many instances tell of it", () => {
  const redis = [shard({}), shard({ shard: 2, memoryBytes: 50, maxMemoryBytes: 500 })];
  const slow = [shard({ latencyMs: 9, memoryBytes: 110 }), shard({ shard: 2, memoryBytes: 50 })];
  const summary = summaryOf([
    report({ at: 1_000, instance: "a", redis }),
    report({ at: 1_000, instance: "b", redis: slow }),
  ]);
  assert.equal(summary?.memoryBytes, 160);
  assert.equal(summary?.maxMemoryBytes, 2_000);
  assert.equal(summary?.latencyMs, 9);
  assert.deepEqual(summary?.away, []);
});

Deno.test("summaryOf() names a Redis that one instance cannot reach, and makes no number of what is not known", () => {
  const away = shard({
    ...{ latencyMs: null, memoryBytes: null, maxMemoryBytes: null, connected: false },
  });
  const one = summaryOf([report({ at: 1_000, redis: [away] })]);
  assert.deepEqual(one?.away, [1]);
  assert.equal(one?.memoryBytes, null);
  assert.equal(one?.latencyMs, null);
  const two = summaryOf([
    report({ at: 1_000, instance: "a", redis: [away] }),
    report({ at: 1_000, instance: "b", redis: [shard({})] }),
  ]);
  assert.deepEqual(two?.away, [1]);
  assert.equal(two?.memoryBytes, 100);
});

Deno.test("summaryOf() knows of no limit where one Redis has none", () => {
  const redis = [shard({}), shard({ shard: 2, maxMemoryBytes: 0 })];
  assert.equal(summaryOf([report({ at: 1_000, redis })])?.maxMemoryBytes, null);
});

Deno.test("summaryOf() tells of the slowest instance, and of none where nothing was timed", () => {
  const summary = summaryOf([
    report({ at: 1_000, instance: "a", publishMs: { p50: 1, p99: 4 } }),
    report({ at: 1_000, instance: "b", publishMs: null }),
  ]);
  assert.equal(summary?.publishMs, 4);
  assert.equal(summary?.deliveryMs, null);
});
