import type { RedisFailure } from "./failure.ts";
import type { RedisNode } from "./node.ts";

/** One place where partitions can be: a Redis, the primary that Sentinels name, or a Cluster. It connects when it is used. */
export interface Shard extends AsyncDisposable {
  /** Its address without user and password. */
  readonly url: string;
  /** Number of the logical database. */
  readonly db: number;
  /** Whether it is a Cluster, where frames go by sharded Pub/Sub. */
  readonly sharded: boolean;
  /** Whether its primary is elected, so that it must be confirmed before a generation begins there. */
  readonly elected: boolean;
  /**
   * The node that has a key.
   *
   * @throws RedisFailure where it cannot be found out
   */
  nodeOf(key: string): Promise<RedisNode>;
  /** Learns from what one of its nodes said of where things are; from any where it is not said which. */
  heed(failure: RedisFailure, node?: RedisNode): void;
}
