import { ClusterShard } from "./cluster_shard.ts";
import type { RedisOptions } from "./options.ts";
import { ServerShard } from "./server_shard.ts";
import type { Shard } from "./shard.ts";

/** Makes a shard of what is configured. */
export function createShard(options: RedisOptions): Shard {
  return options.address.cluster === undefined
    ? new ServerShard(options)
    : new ClusterShard(options, options.address.cluster);
}
