import type { CloseOptions, FeedLink, FeedLinkEvents } from "../redis/feed_link.ts";
import { RedisFailure } from "../redis/failure.ts";

/** Options of {@link FeedLine}. */
export interface FeedLineOptions {
  readonly openLink: (events: FeedLinkEvents) => Promise<FeedLink>;
  /** Subscribed before a link counts as there. */
  readonly channels: readonly string[];
  /** Something came on the present link. */
  readonly onMessage: (channel: string, payload: string) => void;
  /** The present link is gone; the next one must be asked for. */
  readonly onClose: () => void;
}

/**
 * The feed's link, one at a time. What a link that was dropped still tells is not heard: its successor may know better.
 */
export class FeedLine implements AsyncDisposable {
  readonly #options: FeedLineOptions;
  readonly #closing = new Set<Promise<void>>();
  #link: FeedLink | undefined;
  #number = 0;

  constructor(options: FeedLineOptions) {
    this.#options = options;
  }

  /** Whether there is a link with the first channels subscribed. */
  get isUp(): boolean {
    return this.#link !== undefined;
  }

  /**
   * Opens a link and subscribes its first channels, where there is none.
   *
   * @returns whether the link is new
   * @throws RedisFailure with the reason why it cannot be had
   */
  async connect(): Promise<boolean> {
    if (this.#link !== undefined) return false;
    const { openLink, channels, onMessage, onClose } = this.#options;
    const number = ++this.#number;
    const link = await openLink({
      onMessage: (channel, payload) => {
        if (number === this.#number) onMessage(channel, payload);
      },
      onClose: () => {
        if (number === this.#number) onClose();
      },
    });
    try {
      await link.subscribe(channels);
      if (number !== this.#number) throw closedMeanwhile();
    } catch (error) {
      await link.close({ dead: isDeath(error) });
      throw error;
    }
    this.#link = link;
    return true;
  }

  /** Subscribes to more channels; resolves when Redis has confirmed each. */
  async subscribe(channels: readonly string[]): Promise<void> {
    const link = this.#link;
    try {
      await link?.subscribe(channels);
    } catch (error) {
      if (link === this.#link) this.drop({ dead: isDeath(error) });
      throw error;
    }
  }

  /** Stops receiving channels. */
  async unsubscribe(channels: readonly string[]): Promise<void> {
    await this.#link?.unsubscribe(channels);
  }

  /** Gives the link up; it closes by itself. */
  drop(options: CloseOptions = {}): void {
    const link = this.#link;
    this.#link = undefined;
    this.#number++;
    if (link === undefined) return;
    const closed = link.close(options).finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** Closes the link; resolves when it and those dropped before are gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.drop();
    await Promise.all(this.#closing);
  }
}

// what Redis itself refuses came over a link that lives
function isDeath(error: unknown): boolean {
  return error instanceof RedisFailure && error.outcome === "unknown";
}

function closedMeanwhile(): RedisFailure {
  return new RedisFailure("redis_unavailable", "Redis cannot be reached", { outcome: "unsent" });
}
