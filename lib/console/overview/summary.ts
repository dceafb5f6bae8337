import type { RedisState, Stats } from "../../codec/stats.ts";

/** The whole deployment in one second. Rates are per second; what is null was not measured. */
export interface Summary {
  readonly instances: number;
  readonly in: number;
  readonly out: number;
  readonly errors: number;
  readonly refused: number;
  readonly subscribers: number;
  readonly groups: number;
  readonly lag: number;
  readonly pending: number;
  readonly dead: number;
  readonly topics: number;
  /** The slowest hundredth, of the slowest instance, in milliseconds. */
  readonly publishMs: number | null;
  readonly deliveryMs: number | null;
  readonly eventLoopMs: number;
  /** Over all Redis servers. */
  readonly memoryBytes: number | null;
  /** Over all Redis servers; null where one of them has no limit. */
  readonly maxMemoryBytes: number | null;
  /** Of the slowest Redis, in milliseconds. */
  readonly latencyMs: number | null;
  /** Numbers of Redis servers that an instance cannot reach. */
  readonly away: readonly number[];
}

/** Puts together what the instances say of the same second; undefined where none says anything. */
export function summaryOf(reports: readonly Stats[]): Summary | undefined {
  const newest = reports.reduce<Stats | undefined>(
    (last, one) => last === undefined || Date.parse(one.time) > Date.parse(last.time) ? one : last,
    undefined,
  );
  if (newest === undefined) return undefined;
  const rate = (name: "in" | "out" | "errors" | "refused") =>
    reports.reduce((sum, one) => sum + one[name] * 1_000 / Math.max(one.intervalMs, 1), 0);
  const shards = shardsOf(reports);
  const limits = shards.map(({ maxMemoryBytes }) => maxMemoryBytes);
  return {
    instances: reports.length,
    in: rate("in"),
    out: rate("out"),
    errors: rate("errors"),
    refused: rate("refused"),
    subscribers: reports.reduce((sum, { subscribers }) => sum + subscribers, 0),
    groups: newest.groups.count,
    lag: newest.groups.lag,
    pending: newest.groups.pending,
    dead: newest.groups.dead,
    topics: newest.topics,
    publishMs: most(reports.map(({ publishMs }) => publishMs?.p99)),
    deliveryMs: most(reports.map(({ deliveryMs }) => deliveryMs?.p99)),
    eventLoopMs: most(reports.map(({ eventLoopMs }) => eventLoopMs)) ?? 0,
    memoryBytes: total(shards.map(({ memoryBytes }) => memoryBytes)),
    maxMemoryBytes: limits.some((limit) => !limit) ? null : total(limits),
    latencyMs: most(shards.map(({ latencyMs }) => latencyMs)),
    away: shards.filter(({ connected }) => !connected).map(({ shard }) => shard),
  };
}

/** Each Redis once, as the instance sees it that fares worst with it. */
function shardsOf(reports: readonly Stats[]): RedisState[] {
  const shards = new Map<number, RedisState>();
  for (const one of reports.flatMap(({ redis }) => redis)) {
    const known = shards.get(one.shard);
    shards.set(
      one.shard,
      known === undefined ? one : {
        shard: one.shard,
        latencyMs: most([known.latencyMs, one.latencyMs]),
        memoryBytes: most([known.memoryBytes, one.memoryBytes]),
        maxMemoryBytes: most([known.maxMemoryBytes, one.maxMemoryBytes]),
        connected: known.connected && one.connected,
      },
    );
  }
  return [...shards.values()].sort((a, b) => a.shard - b.shard);
}

function most(values: readonly (number | null | undefined)[]): number | null {
  const known = values.filter((value) => typeof value === "number");
  return known.length === 0 ? null : Math.max(...known);
}

function total(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}
