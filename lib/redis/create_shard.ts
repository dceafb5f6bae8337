import { ClusterShard } from "./cluster_shard.ts";
import type { RedisOptions } from "./options.ts";
import { SentinelShard } from "./sentinel_shard.ts";
import { ServerShard } from "./server_shard.ts";
import type { Shard } from "./shard.ts";

/** Makes a shard of what is configured. */
export function createShard(options: RedisOptions): Shard {
  const { sentinel, cluster } = options.address;
  if (cluster !== undefined) return new ClusterShard(options, cluster);
  return sentinel === undefined ? new ServerShard(options) : new SentinelShard(options);
}
