/** What bare Redis does at most, as things that take turns with the others. */
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import type { Things } from "../bench.ts";
import { NO_REWRITE } from "../redis_flags.ts";
import { findRedisBenchmark, type RedisBenchmarkPlan } from "./redis_benchmark.ts";

/** Options of {@link startRedisLimits}. */
export interface RedisLimitsOptions
  extends Pick<RedisBenchmarkPlan, "clients" | "pipeline" | "count"> {
  /** A message. */
  readonly text: string;
  readonly say: (text: string) => void;
}

/** Commands a second: `XADD, everysec`, `XADD, always` and `PUBLISH`, each on a Redis of its own; none without the program. */
export async function startRedisLimits(
  stack: AsyncDisposableStack,
  { text, say, ...plan }: RedisLimitsOptions,
): Promise<Things> {
  const program = await findRedisBenchmark(say);
  if (program === undefined) return {};
  const xadd = async (appendfsync: "everysec" | "always") => {
    const redis = stack.use(await startRedis({ appendfsync, args: NO_REWRITE }));
    return async () => {
      const command = ["XADD", "bench", "*", "m", text];
      const rate = await program.measure({ ...plan, port: redis.port, command });
      await redis.cli("DEL", "bench");
      return rate;
    };
  };
  const { port } = stack.use(await startRedis({ appendonly: false }));
  return {
    "XADD, everysec": await xadd("everysec"),
    "XADD, always": await xadd("always"),
    PUBLISH: () => program.measure({ ...plan, port, command: ["PUBLISH", "bench", text] }),
  };
}
