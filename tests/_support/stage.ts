/** A reader, a feed and subscriptions on one partition: the broker without its outer parts. */
import { SSE } from "../../lib/broker/encoder.ts";
import type { Feed, FeedOptions } from "../../lib/broker/feed.ts";
import { Reader } from "../../lib/broker/reader.ts";
import { parseStart } from "../../lib/broker/start.ts";
import { type SubscribeRequest, Subscription } from "../../lib/broker/subscription.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { openFeed } from "./feed_listener.ts";
import { memoryLog } from "./memory_log.ts";
import { MemorySink } from "./memory_sink.ts";
import type { Partition } from "./partition.ts";
import { until } from "./until.ts";

/** Options of {@link Stage.subscribe}. */
export interface StageRequest extends Partial<Omit<SubscribeRequest, "filter" | "start">> {
  /** As in `since=`. @default "latest" */
  readonly since?: string;
  readonly sink?: MemorySink;
}

/** A running subscription and its client. */
export interface Performance {
  readonly subscription: Subscription;
  readonly sink: MemorySink;
  /** Resolves when the stream has ended. */
  readonly ended: Promise<void>;
}

/** Disposing it lets all clients leave and ends the feed. */
export class Stage implements AsyncDisposable {
  readonly feed: Feed;
  readonly lines: readonly string[];
  readonly #reader: Reader;
  readonly #running: Performance[] = [];

  constructor(partition: Partition, options: Partial<FeedOptions> = {}) {
    const { feed, lines } = openFeed(partition, options);
    this.feed = feed;
    this.lines = lines;
    this.#reader = new Reader(options.store ?? partition.store);
  }

  /** Opens a subscription and runs it. */
  async subscribe(
    names: string | readonly string[],
    options: StageRequest = {},
  ): Promise<Performance> {
    const { since = "latest", sink = new MemorySink(), ...rest } = options;
    const filter = new TopicFilter([names].flat());
    const subscription = new Subscription({
      filter,
      start: parseStart(since, "?since"),
      encoder: SSE.message,
      ...rest,
    }, {
      spans: [{ number: 0, filter, reader: this.#reader, feed: this.feed }],
      partitions: 1,
      log: memoryLog().log,
      id: crypto.randomUUID(),
    });
    await subscription.open(AbortSignal.timeout(5_000));
    const performance = { subscription, sink, ended: subscription.run(sink) };
    this.#running.push(performance);
    return performance;
  }

  /** Opens a subscription and waits until it is live. */
  async subscribeLive(
    names: string | readonly string[],
    options: StageRequest = {},
  ): Promise<Performance> {
    const performance = await this.subscribe(names, options);
    await until(() => performance.subscription.state === "live", { what: "the live state" });
    return performance;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { sink } of this.#running) sink.leave();
    await Promise.all(this.#running.map(({ ended }) => ended));
    await this.feed[Symbol.asyncDispose]();
  }
}
