import type { Redis } from "ioredis";
import { Connection } from "./connection.ts";
import { RedisFailure } from "./failure.ts";
import { FeedLink, type FeedLinkEvents } from "./feed_link.ts";
import type { RedisOptions } from "./options.ts";

/**
 * One Redis and this process's links to it: a connection for the write lane, the rest of the pool for everything else,
 * and feed links on demand. The write lane has its own so that a long page of history never stands before a publish.
 */
export class RedisNode implements AsyncDisposable {
  /** The write lane's connection. */
  readonly lane: Connection;
  readonly #options: RedisOptions;
  readonly #readers: Connection[];
  #next = 0;

  constructor(options: RedisOptions) {
    this.#options = options;
    this.lane = new Connection(options);
    this.#readers = Array.from(
      { length: Math.max(options.connections - 1, 0) },
      () => new Connection(options),
    );
  }

  /** Number of the logical database. */
  get db(): number {
    return this.#options.address.db;
  }

  /**
   * Runs `work` on the next connection of the pool.
   *
   * @throws RedisFailure with what Redis or the link said
   */
  async run<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const reader = this.#readers[this.#next++ % Math.max(this.#readers.length, 1)] ?? this.lane;
    try {
      return await reader.run(work);
    } catch (error) {
      // links die together: one by one, each would cost whoever gets it the whole time that a command may take
      const isSilent = error instanceof RedisFailure && error.code === "redis_timeout";
      if (isSilent) { for (const other of this.#readers) other.doubt(); }
      throw error;
    }
  }

  /** Opens a connection in subscriber mode. */
  openFeedLink(events: FeedLinkEvents): Promise<FeedLink> {
    return FeedLink.open(this.#options, events);
  }

  /** Closes every connection but the feed links, which belong to whoever opened them. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(
      [this.lane, ...this.#readers].map((connection) => connection[Symbol.asyncDispose]()),
    );
  }
}
