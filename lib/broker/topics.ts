import { formatId, type Id } from "../codec/id.ts";
import { messageJson } from "../codec/message.ts";
import { RunnelError } from "../errors.ts";
import type { GroupInfo } from "../redis/group.ts";
import type { TopicState } from "../redis/position.ts";
import type { Retention, TopicInfo } from "../redis/topic_store.ts";
import { pageCount } from "./page.ts";
import type { Partition } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import { rerouting } from "./rerouting.ts";
import { anyOf } from "./spread.ts";

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
  /** What of that was set for this topic; the rest is the server's default. */
  readonly ownRetention: { readonly maxMessages?: number; readonly maxAgeMs?: number };
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

/** Which topics to list. */
export interface ListOptions {
  readonly prefix?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
  /** What whoever asks may know of. @default everything */
  readonly visible?: VisibleTopics | undefined;
}

/** Which topics somebody may know of. */
export interface VisibleTopics {
  /** What their names begin with, each of them with one of these. */
  readonly prefixes: readonly string[];
  /** Whether a topic is among them. */
  has(topic: string): boolean;
}

/** Some of the topics; see {@link Topics.list}. */
export interface TopicList {
  readonly topics: TopicSummary[];
  readonly next?: string;
  readonly missing?: true;
}

/** Topics that are looked at together where some of them are hidden. */
const HIDING_PAGE = 1_000;

/** Lists, describes, reads and changes topics. Methods reject with a RedisFailure, or as they say. */
export class Topics {
  readonly #partitions: Pick<Partitions, "current">;
  readonly #retention: Retention;

  constructor(
    { partitions, retention }: {
      partitions: Pick<Partitions, "current">;
      retention: Retention;
    },
  ) {
    this.#partitions = partitions;
    this.#retention = retention;
  }

  /**
   * Lists topics in byte order, of which some may be hidden; `next`, where there are more, is what the following page starts after, and `missing`
   * says whether some partitions were out of reach, so that their topics are not in the list.
   */
  async list({ visible, ...options }: ListOptions): Promise<TopicList> {
    if (visible === undefined) return await this.#list(options);
    const seen: TopicSummary[] = [];
    let missing = false;
    // topics that begin with none of them are not even looked at: the time would tell how many there are
    for (const prefix of narrowed(visible.prefixes, options.prefix)) {
      for (let after = options.after; seen.length <= options.limit;) {
        const page = await this.#list({ after, limit: HIDING_PAGE, prefix });
        seen.push(...page.topics.filter(({ topic }) => visible.has(topic)));
        missing ||= page.missing === true;
        if (page.next === undefined) break;
        after = page.next;
      }
    }
    const topics = seen.slice(0, options.limit);
    return {
      topics,
      // nothing of what is hidden, also not as the place to go on after
      ...(seen.length > topics.length ? nextAfter(topics) : {}),
      ...(missing ? { missing } : {}),
    };
  }

  async #list(options: Omit<ListOptions, "visible">): Promise<TopicList> {
    const parts = await rerouting(async () => {
      const { all } = await this.#partitions.current();
      return { all, lists: await anyOf(all, (partition) => listIn(partition, options)) };
    });
    const topics = parts.lists.flat().sort((a, b) => compareBytes(a.topic, b.topic));
    const page = topics.slice(0, options.limit);
    return {
      topics: page,
      ...(topics.length > page.length ? nextAfter(page) : {}),
      ...(parts.lists.length < parts.all.length ? { missing: true } : {}),
    };
  }

  /**
   * Describes a topic.
   *
   * @throws RunnelError `not_found`
   */
  describe(topic: string): Promise<TopicDescription> {
    return this.#inPartition(topic, async ({ store, presence }) => {
      const [info, subscribers, groups] = await Promise.all([
        existing(store, topic),
        presence.of(topic),
        store.groups.describe(topic),
      ]);
      const described = groups.map((group) => describeGroup(group, store.now));
      return this.#description(topic, { ...info, subscribers, groups: described });
    });
  }

  /**
   * Changes a topic's retention, and trims it to that; a topic nobody published to yet may have one too.
   */
  async configure(topic: string, change: RetentionChange): Promise<TopicDescription> {
    await this.#inPartition(topic, async ({ store, index }) => {
      const settings = (await store.topics.info(topic))?.settings ?? {};
      const maxMessages = merge(settings.maxMessages, change.maxMessages);
      const maxAgeMs = merge(settings.maxAgeMs, change.maxAgeMs);
      await index.adopting(() =>
        store.topics.configure(topic, {
          ...(maxMessages === undefined ? {} : { maxMessages }),
          ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
        })
      );
    });
    return await this.describe(topic);
  }

  /**
   * Deletes a topic with its messages.
   *
   * @throws RunnelError `not_found`
   */
  async remove(topic: string): Promise<void> {
    const existed = await this.#inPartition(topic, ({ store }) => store.topics.remove(topic));
    if (!existed) throw notFound(topic);
  }

  /**
   * Reads messages of a topic between two exclusive bounds, oldest first or newest first. `next`, where there are more,
   * is the bound of the following page.
   *
   * @returns JSON texts of the messages that have not expired
   * @throws RunnelError `not_found`
   */
  messages(
    topic: string,
    options: {
      after?: Id | undefined;
      before?: Id | undefined;
      limit: number;
      descending: boolean;
    },
  ): Promise<{ messages: string[]; next?: string }> {
    return this.#inPartition(topic, async ({ store }) => {
      const { now, topics: [state] } = await store.position({ topics: [topic] });
      if (state === undefined || state.deletedAt !== undefined) await existing(store, topic);
      const { largest = 0 } = state ?? {};
      const count = pageCount({ largest, bytes: PAGE_BYTES, most: options.limit });
      const entries = await store.history({ ...options, topic, count: count + 1 });
      const page = entries.slice(0, count);
      const messages = page
        .filter(({ message }) => message.expires === undefined || message.expires > now)
        .map(({ message }) => messageJson(message));
      const last = page.at(-1);
      return entries.length > count && last !== undefined
        ? { messages, next: formatId(last.id) }
        : { messages };
    });
  }

  #inPartition<T>(topic: string, work: (partition: Partition) => Promise<T>): Promise<T> {
    return rerouting(async () => await work((await this.#partitions.current()).of(topic)));
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
      ownRetention: settings,
      groups: info.groups,
    };
  }
}

/** The next topics of a partition, one more than wanted where there are more. */
async function listIn(
  { store }: Partition,
  { prefix, after, limit }: {
    prefix?: string | undefined;
    after?: string | undefined;
    limit: number;
  },
): Promise<TopicSummary[]> {
  const topics: TopicSummary[] = [];
  let from = after;
  for (;;) {
    const some = await store.topics.list({
      count: limit + 1,
      ...(prefix === undefined ? {} : { prefix }),
      ...(from === undefined ? {} : { after: from }),
    });
    topics.push(...some.flatMap(({ topic, state }) => summaryOf(topic, state)));
    from = some.at(-1)?.topic;
    if (topics.length > limit || some.length <= limit) return topics.slice(0, limit + 1);
  }
}

function summaryOf(topic: string, state: TopicState | undefined): TopicSummary[] {
  if (state?.deletedAt !== undefined) return [];
  const { count = 0 } = state ?? {};
  const lastId = state === undefined || count === 0 ? null : formatId(state.last);
  return [{ topic, count, lastId }];
}

const utf8 = new TextEncoder();

/** As Redis orders members of the same score: UTF-16, which `<` compares, orders some characters otherwise. */
/** The prefixes within one, none of which is in another, in byte order. */
function narrowed(prefixes: readonly string[], within = ""): string[] {
  const inside = prefixes.flatMap((prefix) => {
    if (prefix.startsWith(within)) return [prefix];
    return within.startsWith(prefix) ? [within] : [];
  });
  const sorted = [...new Set(inside)].sort(compareBytes);
  return sorted.filter((one) => !sorted.some((other) => other !== one && one.startsWith(other)));
}

function compareBytes(a: string, b: string): number {
  const [x, y] = [utf8.encode(a), utf8.encode(b)];
  const length = Math.min(x.length, y.length);
  for (let i = 0; i < length; i++) {
    const difference = (x[i] ?? 0) - (y[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

async function existing({ topics }: Partition["store"], topic: string): Promise<TopicInfo> {
  const info = await topics.info(topic);
  if (info === undefined) throw notFound(topic);
  return info;
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
