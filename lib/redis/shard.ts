import { describeRedisAddress } from "./address.ts";
import type { DetourFailure, RedisFailure } from "./failure.ts";
import { RedisNode } from "./node.ts";
import type { RedisOptions } from "./options.ts";

/** One place where partitions can be: a Redis, the primary that Sentinels name, or a Cluster. */
export interface Shard extends AsyncDisposable {
  /** Its address without user and password. */
  readonly url: string;
  /** Number of the logical database. */
  readonly db: number;
  /** Whether it is a Cluster, where frames go by sharded Pub/Sub. */
  readonly sharded: boolean;
  /**
   * The node that has a key.
   *
   * @throws RedisFailure where it cannot be found out
   */
  nodeOf(key: string): Promise<RedisNode>;
  /** Learns from what one of its nodes said of where things are. */
  heed(failure: RedisFailure | DetourFailure): void;
}

/** A shard that is one Redis. */
export class ServerShard implements Shard {
  readonly url: string;
  readonly db: number;
  readonly sharded = false;
  readonly #node: RedisNode;

  constructor(options: RedisOptions) {
    this.url = describeRedisAddress(options.address);
    this.db = options.address.db;
    this.#node = new RedisNode(options);
  }

  nodeOf(): Promise<RedisNode> {
    return Promise.resolve(this.#node);
  }

  heed(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node[Symbol.asyncDispose]();
  }
}

/** Makes a shard of what is configured. */
export function createShard(options: RedisOptions): Shard {
  return new ServerShard(options);
}
