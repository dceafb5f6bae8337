import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";

/** Starts a Sentinel that knows nobody else, and names the Redis on a port the primary of the set `set`. */
export function startLoneSentinel(port: number, epoch: number): Promise<RedisServer> {
  return startRedis({
    sentinel: true,
    file: [
      `sentinel monitor set 127.0.0.1 ${port} 2`,
      `sentinel config-epoch set ${epoch}`,
      `sentinel current-epoch ${epoch}`,
    ],
  });
}
