import { formatId, type Id } from "../codec/id.ts";
import { messageJson } from "../codec/message.ts";
import { RunnelError } from "../errors.ts";
import type { GroupInfo } from "../redis/group.ts";
import type { PartitionStore } from "../redis/store.ts";
import type { Retention, TopicInfo } from "../redis/topic_store.ts";
import type { GroupIndex } from "./group_index.ts";
import { pageCount } from "./page.ts";
import type { Presence } from "./presence.ts";

/** Most bytes of one page of history, one message apart. */
const PAGE_BYTES = 4 << 20;

/** One topic in a list. */
export interface TopicSummary {
  readonly topic: string;
  /** Messages ever published to it. */
  readonly count: number;
  /** Id of its last message; null where there was none yet. */
  readonly lastId: string | null;
}

/** What can be told of one topic. */
export interface TopicDescription {
  readonly topic: string;
  /** Messages kept. */
  readonly messages: number;
  readonly firstId: string | null;
  readonly lastId: string | null;
  /** Messages ever published to it. */
  readonly count: number;
  /** Memory that its messages take in Redis. */
  readonly bytes: number;
  /** Open subscriptions that get it, over all processes, as of a few seconds ago. */
  readonly subscribers: number;
  readonly retention: { readonly maxMessages: number; readonly maxAgeMs: number | null };
  /** The groups that consume it, by its name or by a pattern. */
  readonly groups: readonly GroupDescription[];
}

/** What can be told of a group of one topic. */
export interface GroupDescription {
  /** The topic or pattern that it consumes. */
  readonly topic: string;
  readonly group: string;
  /** Messages that it has not taken yet. */
  readonly lag: number;
  /** Messages that are leased, or wait to be leased again. */
  readonly pending: number;
  /** Age of the oldest of them in milliseconds; null where there is none. */
  readonly oldestPendingMs: number | null;
  /** Dead letters that were not put back. */
  readonly dead: number;
  readonly maxDeliveries: number;
  readonly consumers: readonly {
    readonly name: string;
    readonly leased: number;
    /** When it pulled last, as ISO text. */
    readonly seen: string;
  }[];
}

/** A change of a topic's retention: a number sets it, null goes back to the default, what is absent stays. */
export interface RetentionChange {
  readonly maxMessages?: number | null | undefined;
  readonly maxAgeMs?: number | null | undefined;
}

/** Lists, describes, reads and changes topics. Methods reject with a RedisFailure, or as they say. */
export class Topics {
  readonly #store: PartitionStore;
  readonly #retention: Retention;
  readonly #presence: Presence;
  readonly #index: GroupIndex;

  constructor(
    { store, retention, presence, index }: {
      store: PartitionStore;
      retention: Retention;
      presence: Presence;
      index: GroupIndex;
    },
  ) {
    this.#index = index;
    this.#store = store;
    this.#retention = retention;
    this.#presence = presence;
  }

  /** Lists topics in byte order; `next`, where there are more, is what the following page starts after. */
  async list(
    options: { prefix?: string | undefined; after?: string | undefined; limit: number },
  ): Promise<{ topics: TopicSummary[]; next?: string }> {
    const topics: TopicSummary[] = [];
    let after = options.after;
    for (;;) {
      const some = await this.#store.topics.list({
        count: options.limit,
        ...(options.prefix === undefined ? {} : { prefix: options.prefix }),
        ...(after === undefined ? {} : { after }),
      });
      for (const { topic, state } of some) {
        if (state?.deletedAt !== undefined) continue;
        if (topics.length === options.limit) return nextAfter(topics);
        const lastId = state === undefined || state.count === 0 ? null : formatId(state.last);
        topics.push({ topic, count: state?.count ?? 0, lastId });
      }
      if (some.length < options.limit) return { topics };
      after = some.at(-1)?.topic;
    }
  }

  /**
   * Describes a topic.
   *
   * @throws RunnelError `not_found`
   */
  async describe(topic: string): Promise<TopicDescription> {
    const [info, subscribers, groups] = await Promise.all([
      this.#existing(topic),
      this.#presence.of(topic),
      this.#store.groups.describe(topic),
    ]);
    const now = this.#store.now;
    const described = groups.map((group) => describeGroup(group, now));
    return this.#description(topic, { ...info, subscribers, groups: described });
  }

  /**
   * Changes a topic's retention, and trims it to that; a topic nobody published to yet may have one too.
   */
  async configure(topic: string, change: RetentionChange): Promise<TopicDescription> {
    const settings = (await this.#store.topics.info(topic))?.settings ?? {};
    const maxMessages = merge(settings.maxMessages, change.maxMessages);
    const maxAgeMs = merge(settings.maxAgeMs, change.maxAgeMs);
    await this.#index.adopting(() =>
      this.#store.topics.configure(topic, {
        ...(maxMessages === undefined ? {} : { maxMessages }),
        ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
      })
    );
    return await this.describe(topic);
  }

  /**
   * Deletes a topic with its messages.
   *
   * @throws RunnelError `not_found`
   */
  async remove(topic: string): Promise<void> {
    if (!await this.#store.topics.remove(topic)) throw notFound(topic);
  }

  /**
   * Reads messages of a topic between two exclusive bounds, oldest first or newest first. `next`, where there are more,
   * is the bound of the following page.
   *
   * @returns JSON texts of the messages that have not expired
   * @throws RunnelError `not_found`
   */
  async messages(
    topic: string,
    options: {
      after?: Id | undefined;
      before?: Id | undefined;
      limit: number;
      descending: boolean;
    },
  ): Promise<{ messages: string[]; next?: string }> {
    const { now, topics: [state] } = await this.#store.position({ topics: [topic] });
    if (state === undefined || state.deletedAt !== undefined) await this.#existing(topic);
    const count = pageCount({
      largest: state?.largest ?? 0,
      bytes: PAGE_BYTES,
      most: options.limit,
    });
    const entries = await this.#store.history({ ...options, topic, count: count + 1 });
    const page = entries.slice(0, count);
    const messages = page
      .filter(({ message }) => message.expires === undefined || message.expires > now)
      .map(({ message }) => messageJson(message));
    const last = page.at(-1);
    return entries.length > count && last !== undefined
      ? { messages, next: formatId(last.id) }
      : { messages };
  }

  async #existing(topic: string): Promise<TopicInfo> {
    const info = await this.#store.topics.info(topic);
    if (info === undefined) throw notFound(topic);
    return info;
  }

  #description(
    topic: string,
    info: TopicInfo & Pick<TopicDescription, "subscribers" | "groups">,
  ): TopicDescription {
    const { settings } = info;
    return {
      topic,
      messages: info.length,
      firstId: info.firstId ?? null,
      lastId: info.lastId ?? null,
      count: info.count,
      bytes: info.bytes,
      subscribers: info.subscribers,
      retention: {
        maxMessages: settings.maxMessages ?? this.#retention.maxMessages,
        maxAgeMs: settings.maxAgeMs ?? this.#retention.maxAgeMs ?? null,
      },
      groups: info.groups,
    };
  }
}

function describeGroup(info: GroupInfo, now: number): GroupDescription {
  const { sub, group, lag, pending, oldestPendingMs, dead, maxDeliveries, consumers } = info;
  return {
    topic: sub,
    group,
    lag,
    pending,
    oldestPendingMs: oldestPendingMs === null ? null : Math.max(now - oldestPendingMs, 0),
    dead,
    maxDeliveries,
    consumers: consumers.map(({ name, leased, seenMs }) => ({
      name,
      leased,
      seen: new Date(seenMs).toISOString(),
    })),
  };
}

function nextAfter(topics: TopicSummary[]): { topics: TopicSummary[]; next?: string } {
  const last = topics.at(-1);
  return last === undefined ? { topics } : { topics, next: last.topic };
}

function merge(known: number | undefined, change: number | null | undefined): number | undefined {
  return change === undefined ? known : change ?? undefined;
}

function notFound(topic: string): RunnelError {
  return new RunnelError("not_found", `There is no topic ${JSON.stringify(topic)}`);
}
