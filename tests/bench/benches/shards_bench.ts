/** What a message costs on one Redis, on several, and on a Cluster. */
import { sleep } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns, type Things } from "../bench.ts";
import { type Cost, costBetween } from "../cost.ts";
import type { TrafficPlan } from "../load/plan.ts";
import { whileTraffic } from "../load_process.ts";
import { envelope } from "../message.ts";
import { sampleOf } from "../statistics.ts";
import { spreadTopics } from "../topics.ts";
import { Arm, type ArmName, DEPLOYMENTS, PARTITIONS } from "./shards_arms.ts";

/** Publishers at full speed: for each Redis, or in all. */
const CONNECTIONS = 64;
/** Messages a second where the rate is fixed. */
const RATE = 2_500;
const WARM_UP_MS = 700;
/** How much more CPU time a message may cost on several Redis than on one. */
const MOST = 1.15;

const TOPICS = spreadTopics({ partitions: PARTITIONS, each: 4 });
const EACH_TOPIC = TOPICS.map((topic) => ({ path: `/subscribe?topic=${topic}`, count: 1 }));
const EVERYTHING = "/subscribe?topic=bench.*";

// Object.keys gives strings; the record's keys are exactly the names
const ARM_NAMES = Object.keys(DEPLOYMENTS) as ArmName[];

type Load = Pick<TrafficPlan, "load" | "streams">;

/** As much for each Redis, which is what more of them are for. */
const perRedis = (shards: number) => ({ connections: CONNECTIONS * shards });

/**
 * By the number of Redis. Where the load is the same in all, each of several gets less of it, and fewer commits share
 * one turn of its loop and one fsync.
 */
const LOADS: Readonly<Record<string, (shards: number) => Load>> = {
  "publish": (shards) => ({ load: perRedis(shards), streams: [] }),
  "publish, as many in all": () => ({ load: { connections: CONNECTIONS }, streams: [] }),
  "topics": (shards) => ({ load: perRedis(shards), streams: EACH_TOPIC }),
  "pattern": (shards) => ({ load: perRedis(shards), streams: [{ path: EVERYTHING, count: 4 }] }),
  [`${RATE}/s in all`]: () => ({
    load: { rate: RATE },
    streams: [{ path: EVERYTHING, count: 1 }, ...EACH_TOPIC],
  }),
};

/** CPU time a message of Redis and of Runnel, and rates, beside one Redis with as many partitions. */
export const shardsBench: Bench = {
  name: "shards",
  about: `CPU time a message, one Redis, 2 and 4 shards, a Cluster of 3; ${TOPICS.length} topics`,
  async run(options: BenchOptions): Promise<Row[]> {
    await using stack = new AsyncDisposableStack();
    const costs = new Map<string, Cost[]>();
    const things: Things = {};
    const arms: [ArmName, Arm][] = [];
    for (const name of ARM_NAMES) {
      arms.push([name, stack.use(await Arm.start(DEPLOYMENTS[name]))]);
    }
    for (const [load, planFor] of Object.entries(LOADS)) {
      for (const [name, arm] of arms) {
        const taken: Cost[] = [];
        costs.set(nameOf(load, name), taken);
        things[nameOf(load, name)] = async () => {
          const cost = await measure(arm, planFor(DEPLOYMENTS[name].shards), options);
          taken.push(cost);
          return cost.cpu;
        };
      }
    }
    await takeTurns(options, things);
    return Object.keys(LOADS).flatMap((load) =>
      ARM_NAMES.slice(1).flatMap((name) => rowsOf(costs, { load, name }))
    );
  },
};

async function measure(arm: Arm, load: Load, { seconds }: BenchOptions): Promise<Cost> {
  const plan = { role: "traffic", port: arm.port, bodies: TOPICS.map(envelope), ...load } as const;
  return await whileTraffic(plan, async (count) => {
    await sleep(WARM_UP_MS);
    const before = await arm.read(count);
    await sleep(seconds * 1_000);
    return costBetween(before, await arm.read(count));
  });
}

const MEASURES = {
  cpu: { what: "CPU", unit: "µs/message" },
  redis: { what: "CPU of Redis", unit: "µs/message" },
  runnel: { what: "CPU of Runnel", unit: "µs/message" },
  rate: { what: "published", unit: "/s" },
  deliveries: { what: "delivered", unit: "/s" },
  perCommit: { what: "a commit", unit: "messages" },
} as const satisfies Record<keyof Cost, { what: string; unit: string }>;

function rowsOf(
  costs: ReadonlyMap<string, readonly Cost[]>,
  { load, name }: { load: string; name: ArmName },
): Row[] {
  const sample = (arm: ArmName, measure: keyof Cost) =>
    sampleOf((costs.get(nameOf(load, arm)) ?? []).map((cost) => cost[measure]));
  const row = (measure: keyof Cost, baselineName: ArmName): Row => ({
    name: `${load}: ${MEASURES[measure].what}, ${name}`,
    unit: MEASURES[measure].unit,
    runnel: sample(name, measure),
    baselineName,
    baseline: sample(baselineName, measure),
  });
  // Object.keys gives strings; the record's keys are exactly those of a cost
  const measures = (Object.keys(MEASURES) as (keyof Cost)[])
    .filter((measure) => measure !== "deliveries" || sample(name, measure).highest > 0);
  const ONE = "one Redis, 1 partition";
  if (DEPLOYMENTS[name].shards === 1) return measures.map((measure) => row(measure, ONE));
  // with as many partitions, the difference is what shards cost; the rest is what partitions cost
  const rows = measures.map((measure) => row(measure, "one Redis, 16 partitions"));
  const [cpu, ...others] = rows;
  if (cpu === undefined) return [];
  return [{ ...cpu, aim: { ratio: MOST, better: "lower" } }, row("cpu", ONE), ...others];
}

function nameOf(load: string, arm: ArmName): string {
  return `${load}, ${arm}`;
}
