import { type Id, latestId, ZERO } from "../codec/id.ts";
import type { Keys } from "../redis/keys.ts";
import { Channel } from "./channel.ts";
import type { TopicFilter } from "./topic_filter.ts";

/** A channel with the topic it carries; the partition's own carries all. */
export interface ChannelEntry {
  readonly topic: string | undefined;
  readonly channel: Channel;
}

/**
 * The channels of a feed: one for each topic named, and one for the whole partition where there is a pattern. While the
 * partition's is live it serves the named topics too.
 */
export class ChannelTable {
  /** The channel of the whole partition. */
  readonly everything: Channel;
  readonly #keys: Keys;
  readonly #named = new Map<string, Channel>();

  constructor(keys: Keys) {
    this.#keys = keys;
    this.everything = new Channel(keys.all);
  }

  /** The channel of a topic; undefined where nobody has asked for it. */
  named(topic: string): Channel | undefined {
    return this.#named.get(topic);
  }

  /** Whether a channel, by its name in Redis, carries a topic or the whole partition. */
  has(channel: string): boolean {
    return channel === this.everything.name || channel.startsWith(this.#keys.channel(""));
  }

  /** Counts one more that wants the channels of a filter. */
  want(filter: TopicFilter): void {
    for (const channel of this.#of(filter)) channel.wanted++;
  }

  /** Counts one less. */
  unwant(filter: TopicFilter): void {
    for (const channel of this.#of(filter)) {
      if (--channel.wanted === 0) channel.idleSince = performance.now();
    }
  }

  /** Whether everything that a filter matches comes on live channels. */
  isLive(filter: TopicFilter): boolean {
    if (this.everything.live) return true;
    if (filter.isOpen) return false;
    return filter.topics.every((topic) => this.#named.get(topic)?.live === true);
  }

  /** From where on everything that a filter matches has come; only where it is live. */
  since(filter: TopicFilter): Id {
    if (filter.isOpen) return this.everything.since;
    return filter.topics.reduce((since, topic) => {
      const own = this.#named.get(topic);
      return latestId(since, own?.live === true ? own.since : this.everything.since);
    }, ZERO);
  }

  /** Channels that are wanted and neither live nor served by the partition's. */
  missing(): ChannelEntry[] {
    const { everything } = this;
    if (everything.live) return [];
    const named = this.#wantedButNotLive();
    return everything.wanted > 0 ? [{ topic: undefined, channel: everything }, ...named] : named;
  }

  /** Channels of named topics that must be live before the partition's may go. */
  servedByEverything(): ChannelEntry[] {
    return this.#wantedButNotLive();
  }

  /** Channels that nobody has wanted since `before`, in `performance.now()` milliseconds. */
  idle(before: number): Channel[] {
    return [this.everything, ...this.#named.values()].filter((channel) =>
      channel.subscribed && channel.wanted === 0 && channel.idleSince < before
    );
  }

  /** Forgets the named channels that are neither wanted nor subscribed. */
  prune(): void {
    for (const [topic, channel] of this.#named) {
      if (channel.wanted === 0 && !channel.subscribed) this.#named.delete(topic);
    }
  }

  /** What was known of the channels holds no more; with `link` they must be subscribed again. */
  reset(options: { link: boolean }): void {
    for (const channel of [this.everything, ...this.#named.values()]) channel.reset(options);
  }

  #wantedButNotLive(): ChannelEntry[] {
    const entries: ChannelEntry[] = [];
    for (const [topic, channel] of this.#named) {
      if (channel.wanted > 0 && !channel.live) entries.push({ topic, channel });
    }
    return entries;
  }

  #of(filter: TopicFilter): Channel[] {
    if (filter.isOpen) return [this.everything];
    return filter.topics.map((topic) => {
      let channel = this.#named.get(topic);
      if (channel === undefined) {
        channel = new Channel(this.#keys.channel(topic));
        this.#named.set(topic, channel);
      }
      return channel;
    });
  }
}
