/** Runnel with a Redis of its own, as most benchmarks need it. */
import {
  type RedisServer,
  type RedisServerOptions,
  startRedis,
} from "../../lib/cli/topology/local_redis.ts";
import { type ServerOptions, startServer } from "../_support/server.ts";

/** Options of {@link startRunnel}. */
export interface RunnelOptions extends Omit<ServerOptions, "redisUrl"> {
  /** Of its Redis. @default {} */
  readonly redis?: RedisServerOptions;
}

/** A running Runnel. Disposing it ends its Redis too. */
export interface Runnel extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  readonly redis: RedisServer;
}

/** Starts both and waits until they answer. */
export async function startRunnel(
  { redis: redisOptions, ...options }: RunnelOptions = {},
): Promise<Runnel> {
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis(redisOptions));
  const { port, pid } = stack.use(await startServer({ ...options, redisUrl: redis.url }));
  const started = stack.move();
  return { port, pid, redis, [Symbol.asyncDispose]: () => started.disposeAsync() };
}
