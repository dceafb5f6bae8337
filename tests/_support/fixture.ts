/** A Runnel on a Redis of its own, for tests that need nothing special of either. */
import { openRunnel, type Runnel, type RunnelOptions } from "./open_runnel.ts";
import { type RedisServer, type RedisServerOptions, startRedis } from "./redis_server.ts";

/** Both, gone together. */
export interface Fixture extends AsyncDisposable {
  /** Runnel's address, without a slash at the end. */
  readonly url: string;
  readonly runnel: Runnel;
  readonly redis: RedisServer;
}

/** Options of {@link startRunnel}. */
export interface FixtureOptions extends Omit<RunnelOptions, "redisUrl"> {
  /** @default without a file on disk, which is faster */
  readonly redis?: RedisServerOptions;
}

/** Starts a Redis and opens a Runnel on it. */
export async function startRunnel(options: FixtureOptions = {}): Promise<Fixture> {
  const { redis: redisOptions = { appendonly: false }, ...rest } = options;
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis(redisOptions));
  const runnel = stack.use(await openRunnel({ redisUrl: redis.url, ...rest }));
  const all = stack.move();
  return { url: runnel.url, runnel, redis, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
