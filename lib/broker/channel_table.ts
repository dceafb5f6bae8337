import { type Id, latestId, ZERO } from "../codec/id.ts";
import type { Keys } from "../redis/keys.ts";
import { Channel } from "./channel.ts";
import type { TopicFilter } from "./topic_filter.ts";

/**
 * The channels of a feed: one for each topic named, and one for the whole partition where there is a pattern. While the
 * partition's is live it serves the named topics too.
 *
 * What a step asks for is kept as it changes: none of it costs more where there are many channels that are well.
 */
export class ChannelTable {
  /** The channel of the whole partition. */
  readonly everything: Channel;
  readonly #keys: Keys;
  readonly #named = new Map<string, Channel>();
  /** Every channel of a topic that is wanted and not live; some that have gone live since. */
  readonly #missing = new Set<Channel>();
  /** The channels that nobody wants, in the order of since when. */
  readonly #unwanted = new Set<Channel>();
  /** Every channel of a topic that is neither wanted nor subscribed; some that have become so since. */
  readonly #loose = new Set<Channel>();

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
    for (const channel of this.#of(filter)) {
      channel.wanted++;
      this.#unwanted.delete(channel);
      this.#note(channel);
    }
  }

  /** Counts one less. */
  unwant(filter: TopicFilter): void {
    for (const channel of this.#of(filter)) {
      if (--channel.wanted > 0) continue;
      channel.idleSince = performance.now();
      this.#missing.delete(channel);
      this.#unwanted.add(channel);
      this.#note(channel);
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

  /** Channels that are wanted and neither live nor served by the partition's; at most so many. */
  missing(most: number): Channel[] {
    const { everything } = this;
    if (everything.live) return [];
    if (everything.wanted === 0) return this.servedByEverything(most);
    return [everything, ...this.servedByEverything(most - 1)];
  }

  /** Channels of named topics that must be live before the partition's may go; at most so many. */
  servedByEverything(most: number): Channel[] {
    const found: Channel[] = [];
    for (const channel of this.#missing) {
      if (found.length >= most) break;
      if (channel.live) this.#missing.delete(channel);
      else found.push(channel);
    }
    return found;
  }

  /** Channels that nobody has wanted since `before`, in `performance.now()` milliseconds. */
  idle(before: number): Channel[] {
    const found: Channel[] = [];
    for (const channel of this.#unwanted) {
      if (channel.idleSince >= before) break;
      if (channel.subscribed) found.push(channel);
    }
    return found;
  }

  /** Forgets the named channels that are neither wanted nor subscribed. */
  prune(): void {
    for (const channel of this.#loose) {
      if (channel.topic === undefined || channel.wanted > 0 || channel.subscribed) continue;
      this.#named.delete(channel.topic);
      this.#unwanted.delete(channel);
    }
    this.#loose.clear();
  }

  /** What was known of all channels holds no more; with `link` they must be subscribed again. */
  reset(options: { link: boolean }): void {
    this.resetSome([this.everything, ...this.#named.values()], options);
  }

  /** What was known of these channels holds no more; with `link` they must be subscribed again. */
  resetSome(channels: Iterable<Channel>, options: { link: boolean }): void {
    for (const channel of channels) {
      channel.reset(options);
      this.#note(channel);
    }
  }

  #note(channel: Channel): void {
    if (channel.topic === undefined) return;
    if (channel.wanted > 0 && !channel.live) this.#missing.add(channel);
    if (channel.wanted === 0 && !channel.subscribed) this.#loose.add(channel);
  }

  #of(filter: TopicFilter): Channel[] {
    if (filter.isOpen) return [this.everything];
    return filter.topics.map((topic) => {
      let channel = this.#named.get(topic);
      if (channel === undefined) {
        channel = new Channel(this.#keys.channel(topic), topic);
        this.#named.set(topic, channel);
      }
      return channel;
    });
  }
}
