/** Messages kept for later that are due at once: how fast they are published, and how late a few of them are. */
import type { RedisServer } from "../../../lib/cli/topology/local_redis.ts";
import { Partition } from "../../_support/partition.ts";
import { until } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { envelope } from "../message.ts";
import { startRunnel } from "../runnel.ts";
import { sampleOf } from "../statistics.ts";

const COUNT = 100_000;
const A_CALL = 500;
const TOPICS = 10;
/** Long enough to have kept all of them before the first is due. */
const AHEAD_MS = 15_000;

/** Messages a second when 100,000 are due at once, beside storing the same messages directly. */
export const laterBench: Bench = {
  name: "later",
  about: `${COUNT} delayed messages due at once, against committing them directly`,
  async run(options: BenchOptions): Promise<Row[]> {
    const rows: Row[] = [];
    for (const appendfsync of ["everysec", "always"] as const) {
      await using runnel = await startRunnel({ redis: { appendfsync } });
      const results = await takeTurns(options, {
        [`drain, ${appendfsync}`]: () => drain(runnel.redis),
        [`commit, ${appendfsync}`]: () => commit(runnel.redis),
      });
      rows.push({
        name: `later, ${appendfsync}`,
        unit: "/s",
        runnel: sampleOf(results[`drain, ${appendfsync}`] ?? []),
        baselineName: `commit, ${A_CALL} a call`,
        baseline: sampleOf(results[`commit, ${appendfsync}`] ?? []),
        note: "wanted are 50,000/s; the calls take turns with whatever else is published",
      });
    }
    return rows;
  },
};

const body = JSON.stringify({ data: JSON.parse(envelope("bench")).data });

async function commit(redis: RedisServer): Promise<number> {
  await using partition = new Partition(redis.url, { prefix: "direct" });
  const start = performance.now();
  await store(partition, () => "");
  return COUNT / ((performance.now() - start) / 1000);
}

async function drain(redis: RedisServer): Promise<number> {
  await using partition = new Partition(redis.url, { prefix: "rn" });
  const due = (await partition.store.position()).now + AHEAD_MS;
  await store(partition, (n) => JSON.stringify({ at: due, nonce: `0123456789abcdef-${n}` }));
  const now = async () => (await partition.store.position()).now;
  await until(async () => await now() >= due, { timeoutMs: 2 * AHEAD_MS, everyMs: 1 });
  await until(async () => await partition.store.schedule.head() === undefined, {
    timeoutMs: 60_000,
    everyMs: 2,
  });
  return COUNT / ((await now() - due) / 1000);
}

async function store(partition: Partition, optionsOf: (n: number) => string): Promise<void> {
  for (let i = 0; i < COUNT; i += A_CALL) {
    const bodies: Record<string, { body: string; options: string }[]> = {};
    for (let n = i; n < i + A_CALL; n++) {
      (bodies[`later.${n % TOPICS}`] ??= []).push({ body, options: optionsOf(n) });
    }
    await partition.commit(bodies);
  }
}
