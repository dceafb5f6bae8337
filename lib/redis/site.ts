import type { Redis } from "ioredis";
import type { FeedLink, FeedLinkEvents } from "./feed_link.ts";
import type { ReplicatedCall, ReplicatedReply } from "./replicated_writes.ts";

/**
 * Where a partition is to be found. Who uses it need not know whether that is one Redis, the primary that Sentinels name,
 * a node of a Cluster, or a shard that the partition has moved to meanwhile.
 *
 * Methods reject with a RedisFailure. A call that was refused because the partition had just moved was not done, and is
 * made again where it is now; any other is made once.
 */
export interface Site {
  /** Number of the logical database. */
  readonly db: number;
  /** Whether frames go by sharded Pub/Sub, and scripts must be kept from slots that are being moved. */
  readonly sharded: boolean;
  /** Whether its primary is elected, so that it must be confirmed before a generation begins there. */
  readonly elected: boolean;
  /** Runs `work` on a connection of the pool. */
  run<T>(work: (client: Redis) => Promise<T>): Promise<T>;
  /** Runs `work` on the connection of the write lanes. */
  write<T>(work: (client: Redis) => Promise<T>): Promise<T>;
  /** Drops the link of the write lanes and dials anew. */
  resetLane(): void;
  /** Makes a call that waits for replicas, which keeps no other waiting. */
  writeReplicated(call: ReplicatedCall): Promise<ReplicatedReply>;
  /** Drops the link of the calls that wait for so many replicas and dials anew. */
  resetReplicated(replicas: number): void;
  /** Opens a link that receives channels. */
  openFeedLink(events: FeedLinkEvents): Promise<FeedLink>;
}
