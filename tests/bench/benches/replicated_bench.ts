/** What it takes to wait for replicas, and whether those who do not wait notice it. */
import { PERSISTENCE } from "../../../lib/cli/redis/persistence.ts";
import { REPLICATION_FLAGS } from "../../../lib/cli/topology/flags.ts";
import { type RedisServer, startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { startServer } from "../../_support/server.ts";
import { until } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import type { PublisherGroup } from "../load/plan.ts";
import { measureGroups } from "../load_process.ts";
import { DATA } from "../message.ts";
import { percentile, sampleOf } from "../statistics.ts";

/** Connections of a group of publishers; there are two groups at a time. */
const CONNECTIONS = 16;
const TOPICS = Array.from({ length: 16 }, (_, index) => `bench.${index}`);
/** How much slower those may be who do not wait, when others do. */
const MOST = 1.15;

/** Rate and latencies of `replicated` beside `stored`, and of `stored` while others use `replicated`. */
export const replicatedBench: Bench = {
  name: "replicated",
  about: `durability replicated against stored, 1 and 2 replicas, twice ${CONNECTIONS} connections`,
  async run(options: BenchOptions): Promise<Row[]> {
    const rows: Row[] = [];
    for (const replicas of [1, 2]) rows.push(...await measureSet(replicas, options));
    return rows;
  },
};

/** What one group of publishers saw. */
interface Seen {
  /** Publishes a second. */
  readonly rate: number;
  readonly p50: number;
  readonly p99: number;
}

type Durability = "stored" | "replicated";

async function measureSet(replicas: number, options: BenchOptions): Promise<Row[]> {
  await using stack = new AsyncDisposableStack();
  const primary = await startSet(stack, replicas);
  const server = stack.use(await startServer({ redisUrl: primary.url }));
  const seen = new Map<string, Seen[]>();
  const beside = (one: Durability, other: Durability) => async () => {
    const groups = [groupOf(one, replicas), groupOf(other, replicas)];
    const { seconds, latenciesMs } = await measureGroups({
      role: "groups",
      port: server.port,
      groups,
      warmUpSeconds: 0.7,
      seconds: options.seconds,
    });
    const [first] = latenciesMs.map((latencies) => seenIn(latencies, seconds));
    if (!first) throw new Error("Cannot measure: there is no group");
    const name = nameOf(one, other);
    seen.set(name, [...seen.get(name) ?? [], first]);
    return first.p50;
  };
  // what the first requests make the server compile is nobody's
  await beside("stored", "replicated")();
  seen.clear();
  await takeTurns(options, {
    [`stored, ${replicas} replicas`]: beside("stored", "stored"),
    [`replicated, ${replicas} replicas`]: beside("replicated", "replicated"),
    [`stored beside replicated, ${replicas} replicas`]: beside("stored", "replicated"),
  });
  return rowsOf(replicas, seen);
}

/** A primary whose replicas have all it has. */
async function startSet(stack: AsyncDisposableStack, replicas: number): Promise<RedisServer> {
  const flags = [...PERSISTENCE, ...REPLICATION_FLAGS];
  const primary = stack.use(await startRedis({ args: flags }));
  for (let n = 0; n < replicas; n++) {
    const args = [...flags, "--replicaof", "127.0.0.1", `${primary.port}`];
    stack.use(await startRedis({ args }));
  }
  await until(async () => {
    const info = await primary.cli("INFO", "replication");
    return [...info.matchAll(/state=online/g)].length === replicas;
  }, { what: "the replicas" });
  return primary;
}

function groupOf(durability: Durability, replicas: number): PublisherGroup {
  const how = durability === "replicated" ? { durability, replicas } : { durability };
  const bodies = TOPICS.map((topic) => JSON.stringify({ topic, data: DATA, ...how }));
  return { connections: CONNECTIONS, bodies };
}

function seenIn(latencies: readonly number[], seconds: number): Seen {
  const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  return { rate: latencies.length / seconds, p50, p99 };
}

const MEASURES = {
  rate: { what: "rate", unit: "/s" },
  p50: { what: "p50", unit: "ms" },
  p99: { what: "p99", unit: "ms" },
} as const satisfies Record<keyof Seen, { what: string; unit: string }>;

function rowsOf(replicas: number, seen: ReadonlyMap<string, readonly Seen[]>): Row[] {
  // Object.entries gives strings; the record's keys are exactly those of what was seen
  const measures = Object.entries(MEASURES) as [keyof Seen, { what: string; unit: string }][];
  const sample = (measure: keyof Seen, one: Durability, other: Durability) =>
    sampleOf((seen.get(nameOf(one, other)) ?? []).map((round) => round[measure]));
  const rows = (name: string, one: Durability, other: Durability): Row[] =>
    measures.map(([measure, { what, unit }]) => ({
      name: `${name}, ${replicas} replica${replicas === 1 ? "" : "s"}, ${what}`,
      unit,
      runnel: sample(measure, one, other),
      baselineName: "stored beside stored",
      baseline: sample(measure, "stored", "stored"),
      ...(one === "stored" && measure !== "p99" ? { aim: aimOf(measure) } : {}),
    }));
  return [
    ...rows("replicated", "replicated", "replicated"),
    ...rows("stored beside replicated", "stored", "replicated"),
  ];
}

function aimOf(measure: "rate" | "p50"): NonNullable<Row["aim"]> {
  return measure === "rate"
    ? { ratio: Math.round(100 / MOST) / 100, better: "higher" }
    : { ratio: MOST, better: "lower" };
}

function nameOf(one: Durability, other: Durability): string {
  return `${one} beside ${other}`;
}
