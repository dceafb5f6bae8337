/** Runnel put together by hand, so that a test can leave one part out or put a worse one in its place. */
import { Committer } from "../../lib/broker/committer.ts";
import { SSE } from "../../lib/broker/encoder.ts";
import { Feed, type FeedOptions } from "../../lib/broker/feed.ts";
import { type PreparedMessage, prepareMessage } from "../../lib/broker/publish_input.ts";
import { Reader } from "../../lib/broker/reader.ts";
import type { Sink } from "../../lib/broker/sink.ts";
import { parseStart } from "../../lib/broker/start.ts";
import { Subscription } from "../../lib/broker/subscription.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { RunnelError } from "../../lib/errors.ts";
import { RedisNode } from "../../lib/redis/node.ts";
import { PartitionStore, type StoreOptions } from "../../lib/redis/store.ts";
import { memoryLog } from "../_support/memory_log.ts";
import { NO_GROUPS } from "../_support/no_groups.ts";
import { redisOptionsOf } from "../_support/partition.ts";
import { SseParser } from "../_support/sse_parser.ts";
import { deadline } from "../_support/until.ts";

/** Options of {@link assemble}. */
export interface PartsOptions {
  readonly redisUrl: string;
  /** Another way to the same Redis, for the feed's link alone. @default redisUrl */
  readonly feedUrl?: string;
  /** @default PartitionStore as it is */
  readonly Store?: typeof PartitionStore;
  /** Changes of the feed, such as its probe's times. */
  readonly feed?: Partial<FeedOptions>;
  /** Stands between the feed and its link. @default nothing */
  readonly openLink?: (open: FeedOptions["openLink"]) => FeedOptions["openLink"];
}

const STORE: StoreOptions = {
  prefix: "rn",
  partition: 0,
  retention: { maxMessages: 100_000, maxAgeMs: undefined },
  idempotencyMs: 86_400_000,
};

/** One process's parts. Disposing them closes what they opened. */
export class Parts implements AsyncDisposable {
  readonly store: PartitionStore;
  readonly committer: Committer;
  readonly feed: Feed;
  readonly reader: Reader;
  readonly #nodes: RedisNode[];
  readonly #streams = new Set<CollectedStream>();

  constructor(options: PartsOptions) {
    const { redisUrl, feedUrl = redisUrl, Store = PartitionStore, openLink = (open) => open } =
      options;
    const node = new RedisNode(redisOptionsOf(redisUrl));
    const link = new RedisNode(redisOptionsOf(feedUrl, { connections: 1 }));
    this.#nodes = [node, link];
    const { log } = memoryLog();
    this.store = new Store(node, STORE);
    this.committer = new Committer({ store: this.store, log, index: NO_GROUPS });
    this.reader = new Reader(this.store);
    this.feed = new Feed({
      store: this.store,
      openLink: openLink((events) => link.openFeedLink(events)),
      log,
      processId: crypto.randomUUID(),
      ...options.feed,
    });
  }

  /** Stores messages without idempotency keys and gives their ids, in order. */
  async publish(...messages: readonly { topic: string; n: string }[]): Promise<string[]> {
    const prepared: PreparedMessage[] = messages.map(({ topic, n }) =>
      prepareMessage({ topic, data: { n } })
    );
    const outcomes = await this.committer.store(prepared);
    return outcomes.map((outcome) => {
      if (outcome instanceof RunnelError) throw outcome;
      return outcome.id ?? "";
    });
  }

  /** Opens a subscription and collects what it gives. */
  async subscribe(
    topics: readonly string[],
    { since = "latest", sink = new CollectedStream() } = {},
  ): Promise<CollectedStream> {
    sink.run(await this.open(topics, since));
    this.#streams.add(sink);
    return sink;
  }

  /** Opens a subscription, to be run by the caller. */
  async open(topics: readonly string[], since = "latest"): Promise<Subscription> {
    const filter = new TopicFilter(topics);
    const { reader, feed } = this;
    const subscription = new Subscription(
      { filter, start: parseStart(since, "?since"), encoder: SSE.message },
      {
        spans: [{ number: 0, filter, reader, feed }],
        partitions: 1,
        log: memoryLog().log,
        id: crypto.randomUUID(),
      },
    );
    await deadline(subscription.open(new AbortController().signal), 10_000, "a subscription");
    return subscription;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of this.#streams) await stream.close();
    await this.committer[Symbol.asyncDispose]();
    await this.feed[Symbol.asyncDispose]();
    for (const node of this.#nodes) await node[Symbol.asyncDispose]();
  }
}

/** Puts parts together. */
export function assemble(options: PartsOptions): Parts {
  return new Parts(options);
}

/** A client that reads everything at once and remembers it. */
export class CollectedStream implements Sink, AsyncDisposable {
  /** What each message was published as, in the order in which they came. */
  readonly seen: string[] = [];
  /** The data of each `$gap`. */
  readonly gaps: Record<string, unknown>[] = [];
  /** The last event id that a browser would send. */
  lastEventId = "";
  readonly #parser = new SseParser();
  readonly #gone = new AbortController();
  #subscription: Subscription | undefined;
  #running: Promise<void> | undefined;

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get backlog(): number {
    return 0;
  }

  /** What the subscription does now. */
  get state(): string {
    return this.#subscription?.state ?? "closed";
  }

  /** Begins to take what a subscription gives. */
  run(subscription: Subscription): void {
    this.#subscription = subscription;
    this.#running = subscription.run(this);
  }

  write(bytes: Uint8Array): void {
    for (const { event, data, id } of this.#parser.push(bytes)) {
      this.lastEventId = id;
      if (data === undefined) continue;
      const parsed = JSON.parse(data);
      if (event === "$gap") this.gaps.push(parsed);
      if (!event.startsWith("$")) this.seen.push(parsed.data.n);
    }
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  end(): void {}

  /** Leaves, as a client that closes its page. */
  async close(): Promise<void> {
    this.#gone.abort();
    await this.#running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
