/** What a feed gives to whoever listens, and a feed for tests. */
import { Feed, type FeedListener, type FeedOptions } from "../../lib/broker/feed.ts";
import type { LiveBatch } from "../../lib/broker/ring.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { compareIds, formatId, type Id } from "../../lib/codec/id.ts";
import type { StoredMessage } from "../../lib/codec/message.ts";
import type { PartitionStore } from "../../lib/redis/store.ts";
import { memoryLog } from "./memory_log.ts";
import type { Partition } from "./partition.ts";
import { until } from "./until.ts";

/** Listens, and keeps what it is told. */
export class Listener implements FeedListener {
  readonly filter: TopicFilter;
  /** Ids in the order in which they came. */
  readonly ids: string[] = [];
  readonly ephemeral: StoredMessage[] = [];
  breaks = 0;
  readonly #feed: Feed;

  constructor(feed: Feed, ...names: string[]) {
    this.#feed = feed;
    this.filter = new TopicFilter(names);
  }

  onBatch({ batch }: LiveBatch): void {
    this.ids.push(...batch.ids.map(formatId));
  }

  onEphemeral(message: StoredMessage): void {
    this.ephemeral.push(message);
  }

  onBreak(): void {
    this.breaks++;
  }

  /** Makes the channels live and joins at the clock, as a subscription from now on does. */
  async join(store: PartitionStore): Promise<void> {
    // an attempt that is under way may still fail with the link of before
    await until(async () => {
      await this.#feed.acquire(this.filter, AbortSignal.timeout(5_000));
      return true;
    });
    await until(async () => {
      const { clock: cursor, generation } = await store.position();
      return this.joinAt(cursor, generation);
    }, { what: "the feed to take the listener" });
  }

  /** Joins at a cursor, and takes what the feed has after it; false where the feed cannot tell. */
  joinAt(cursor: Id, generation: number): boolean {
    const missed = this.#feed.join(this, { cursor, generation });
    // a batch of the ring may begin before the cursor
    const after = missed?.flatMap(({ batch }) => batch.ids).filter((one) =>
      compareIds(one, cursor) > 0
    );
    this.ids.push(...(after ?? []).map(formatId));
    return missed !== undefined;
  }

  /** Waits until this many messages have come. */
  async count(count: number): Promise<readonly string[]> {
    await until(() => this.ids.length >= count, {
      what: `${count} messages, of ${this.ids.length}`,
    });
    return this.ids;
  }

  /** Waits until the feed has broken this often. */
  async broken(times = 1): Promise<void> {
    await until(() => this.breaks >= times, { what: `${times} breaks` });
  }
}

/** Opens a feed on a partition; its log is in `lines`. */
export function openFeed(
  partition: Partition,
  options: Partial<FeedOptions> = {},
): { feed: Feed; lines: readonly string[]; processId: string } {
  const { log, lines } = memoryLog();
  const processId = options.processId ?? crypto.randomUUID();
  const feed = new Feed({
    store: partition.store,
    openLink: (events) => partition.node.openFeedLink(events),
    log,
    ...options,
    processId,
  });
  return { feed, lines, processId };
}

/** A store some of whose methods are the test's own; they get the real one. */
export function withMethods(
  store: PartitionStore,
  methods: Partial<
    Pick<PartitionStore, "position" | "probe" | "readFrames" | "readTopics" | "readLog">
  >,
): PartitionStore {
  return new Proxy(store, {
    get(target, name) {
      const own = Reflect.get(methods, name);
      if (own !== undefined) return own;
      const value = Reflect.get(target, name);
      // the real methods use private fields, which a proxy has not
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}
