import { describeRedisAddress } from "./address.ts";
import type { RedisFailure } from "./failure.ts";
import { RedisNode } from "./node.ts";
import type { RedisOptions } from "./options.ts";
import { SentinelWatch } from "./sentinel_watch.ts";
import type { Shard } from "./shard.ts";

/** Least time between two looks for another primary because one took no writes, in milliseconds. */
const RENEW_MS = 200;

/** A shard that is one Redis, the same one always or the one that Sentinels name. */
export class ServerShard implements Shard {
  readonly url: string;
  readonly db: number;
  readonly sharded = false;
  readonly #node: RedisNode;
  readonly #watch: SentinelWatch | undefined;
  #renewedAt = 0;

  constructor(options: RedisOptions) {
    const { address } = options;
    this.url = describeRedisAddress(address);
    this.db = address.db;
    this.#node = new RedisNode(options);
    this.#watch = address.sentinel === undefined
      ? undefined
      : new SentinelWatch(options, { onSwitch: () => this.#node.renew() });
  }

  nodeOf(): Promise<RedisNode> {
    this.#watch?.start();
    return Promise.resolve(this.#node);
  }

  /** A primary that was demoted says so itself, perhaps before any Sentinel does. */
  heed({ code }: RedisFailure): void {
    const isDoubtful = code === "redis_readonly" || code === "stale_primary";
    if (this.#watch === undefined || !isDoubtful) return;
    if (performance.now() - this.#renewedAt < RENEW_MS) return;
    this.#renewedAt = performance.now();
    this.#node.renew();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch?.[Symbol.asyncDispose]();
    await this.#node[Symbol.asyncDispose]();
  }
}
