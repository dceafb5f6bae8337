import { Redis } from "ioredis";
import { clientOptions } from "./connection.ts";
import { toRedisFailure } from "./failure.ts";
import type { FeedLink, FeedLinkEvents } from "./feed_link.ts";
import { tolerateLateErrors } from "./late_errors.ts";
import type { RedisOptions } from "./options.ts";

/** Options of {@link FeedSocket.open}. */
export interface FeedSocketOptions {
  /** Receives sharded channels, of slots that this node of a Cluster has. @default false */
  readonly sharded?: boolean;
}

/** One connection in subscriber mode. */
export class FeedSocket implements FeedLink {
  readonly #client: Redis;
  readonly #sharded: boolean;
  readonly #ended: Promise<void>;
  #closed = false;
  #hungUp = false;

  private constructor(
    options: RedisOptions,
    { sharded, ...events }: FeedLinkEvents & { readonly sharded: boolean },
  ) {
    this.#sharded = sharded;
    this.#client = new Redis({ ...clientOptions(options), retryStrategy: () => null });
    tolerateLateErrors(this.#client);
    this.#ended = new Promise((resolve) => this.#client.once("end", () => resolve()));
    const name = sharded ? "smessage" : "message";
    this.#client.on(name, (channel: string, payload: string) => {
      if (!this.#closed) events.onMessage(channel, payload);
    });
    // a slot has gone, and its channels with it; which ones the client does not tell
    this.#client.on("moved", () => this.#hangUp());
    this.#client.on("end", () => {
      if (this.#closed) return;
      this.#closed = true;
      events.onClose();
    });
  }

  /**
   * Opens a connection.
   *
   * @throws RedisFailure with the reason why it cannot be had
   */
  static async open(
    options: RedisOptions,
    events: FeedLinkEvents,
    { sharded = false }: FeedSocketOptions = {},
  ): Promise<FeedSocket> {
    let live = false;
    const link = new FeedSocket(options, {
      onMessage: (channel, payload) => events.onMessage(channel, payload),
      onClose: () => live && events.onClose(),
      sharded,
    });
    let reason: unknown;
    link.#client.on("error", (error) => reason = error);
    try {
      await link.#client.connect();
    } catch (error) {
      await link.close();
      throw toRedisFailure(reason ?? error, false);
    }
    live = true;
    const feeds = options.metrics?.links.feed;
    if (feeds !== undefined) {
      feeds.up++;
      link.#ended.then(() => feeds.up--);
    }
    return link;
  }

  async subscribe(channels: readonly string[]): Promise<void> {
    try {
      if (this.#sharded) await this.#client.ssubscribe(...channels);
      else await this.#client.subscribe(...channels);
    } catch (error) {
      throw toRedisFailure(error, true);
    }
  }

  async unsubscribe(channels: readonly string[]): Promise<void> {
    try {
      if (this.#sharded) await this.#client.sunsubscribe(...channels);
      else await this.#client.unsubscribe(...channels);
    } catch (error) {
      throw toRedisFailure(error, true);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#client.status === "end") return;
    if (this.#client.status === "wait") return this.#client.disconnect();
    this.#hangUp();
    await this.#ended;
  }

  /** Once: each time would leave something behind on the client's socket. */
  #hangUp(): void {
    if (!this.#hungUp) this.#client.disconnect();
    this.#hungUp = true;
  }
}
