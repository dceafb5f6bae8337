import { describeRedisAddress } from "./address.ts";
import { RedisNode } from "./node.ts";
import type { RedisOptions } from "./options.ts";
import type { Shard } from "./shard.ts";

/** A shard that is one Redis, the same one always. */
export class ServerShard implements Shard {
  readonly url: string;
  readonly db: number;
  readonly sharded = false;
  readonly elected = false;
  readonly #options: RedisOptions;
  #node: RedisNode | undefined;

  constructor(options: RedisOptions) {
    this.url = describeRedisAddress(options.address);
    this.db = options.address.db;
    this.#options = options;
  }

  nodeOf(): Promise<RedisNode> {
    return Promise.resolve(this.#node ??= new RedisNode(this.#options));
  }

  heed(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#node?.[Symbol.asyncDispose]();
  }
}
