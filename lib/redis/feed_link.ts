import { Redis } from "ioredis";
import { clientOptions } from "./connection.ts";
import { toRedisFailure } from "./failure.ts";
import { tolerateLateErrors } from "./late_errors.ts";
import type { RedisOptions } from "./options.ts";

/** What a {@link FeedLink} tells. */
export interface FeedLinkEvents {
  /** A message came on a channel; called in the order of the connection. */
  onMessage(channel: string, payload: string): void;
  /** The link is gone for good; called once, not after `close()`. */
  onClose(): void;
}

/**
 * One connection in subscriber mode. It never reconnects: what was published meanwhile is gone, so whoever owns it must
 * open another and look at the log.
 */
export class FeedLink {
  readonly #client: Redis;
  readonly #ended: Promise<void>;
  #closed = false;

  private constructor(options: RedisOptions, events: FeedLinkEvents) {
    this.#client = new Redis({ ...clientOptions(options), retryStrategy: () => null });
    tolerateLateErrors(this.#client);
    this.#ended = new Promise((resolve) => this.#client.once("end", () => resolve()));
    this.#client.on("message", (channel: string, payload: string) => {
      if (!this.#closed) events.onMessage(channel, payload);
    });
    this.#client.on("end", () => {
      if (this.#closed) return;
      this.#closed = true;
      events.onClose();
    });
  }

  /**
   * Opens a link.
   *
   * @throws RedisFailure with the reason why it cannot be had
   */
  static async open(options: RedisOptions, events: FeedLinkEvents): Promise<FeedLink> {
    let live = false;
    const link = new FeedLink(options, {
      onMessage: (channel, payload) => events.onMessage(channel, payload),
      onClose: () => live && events.onClose(),
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
    return link;
  }

  /**
   * Subscribes to channels; resolves when Redis has confirmed each.
   *
   * @throws RedisFailure with what Redis or the link said
   */
  async subscribe(channels: string[]): Promise<void> {
    try {
      await this.#client.subscribe(...channels);
    } catch (error) {
      throw toRedisFailure(error, true);
    }
  }

  /** Stops receiving channels. */
  async unsubscribe(channels: string[]): Promise<void> {
    try {
      await this.#client.unsubscribe(...channels);
    } catch (error) {
      throw toRedisFailure(error, true);
    }
  }

  /** Closes the link; resolves when its socket is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#client.status === "end") return;
    if (this.#client.status === "wait") return this.#client.disconnect();
    this.#client.disconnect();
    await this.#ended;
  }
}
