/** What a {@link FeedLink} tells. */
export interface FeedLinkEvents {
  /** A message came on a channel; called in the order of the connection. */
  onMessage(channel: string, payload: string): void;
  /** The link is gone for good; called once, not after `close()`. */
  onClose(): void;
}

/** How to close a {@link FeedLink}. */
export interface CloseOptions {
  /** Nothing comes on it any more, so that whoever shares its connection is to lose it too. @default false */
  readonly dead?: boolean;
}

/**
 * A link that receives channels. It never reconnects: what was published meanwhile is gone, so whoever owns it must open
 * another and look at the log.
 */
export interface FeedLink {
  /**
   * Subscribes to channels; resolves when Redis has confirmed each.
   *
   * @throws RedisFailure with what Redis or the link said
   */
  subscribe(channels: readonly string[]): Promise<void>;
  /**
   * Stops receiving channels.
   *
   * @throws RedisFailure with what Redis or the link said
   */
  unsubscribe(channels: readonly string[]): Promise<void>;
  /** Closes the link; resolves when nothing is left of it. */
  close(options?: CloseOptions): Promise<void>;
}
