/** Looks at the load, at Runnel and at its Redis at one moment. */
import type { Reading } from "./cost.ts";
import { cpuSeconds } from "./machine.ts";
import type { RedisGauge } from "./redis_gauge.ts";

/** Counts on the side of the load. */
export type CountMessages = () => Promise<Pick<Reading, "published" | "delivered">>;

/** What was counted up to now, of the Runnel with this process id and all of its Redis. */
export async function takeReading(
  { gauges, pid }: { gauges: readonly RedisGauge[]; pid: number },
  count: CountMessages,
): Promise<Reading> {
  const [{ published, delivered }, runnel, ...redis] = await Promise.all([
    count(),
    cpuSeconds(pid),
    ...gauges.map((gauge) => gauge.read()),
  ]);
  return {
    at: performance.now(),
    published,
    delivered,
    runnel,
    redis: redis.reduce((sum, { cpu }) => sum + cpu, 0),
    commits: redis.reduce((sum, { commits }) => sum + commits, 0),
  };
}
