import { partitionOf } from "../codec/partition_of.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { Metrics } from "../metrics/metrics.ts";
import type { Site } from "../redis/site.ts";
import { PartitionStore } from "../redis/store.ts";
import type { Retention } from "../redis/topic_store.ts";
import type { Outcome } from "./commit_plan.ts";
import { Confirmations } from "./confirmations.ts";
import { Feed } from "./feed.ts";
import { GroupIndex } from "./group_index.ts";
import { GroupWaiters } from "./group_waiters.ts";
import { Presence } from "./presence.ts";
import type { PreparedMessage } from "./publish_input.ts";
import { PublishLanes } from "./publish_lanes.ts";
import { Reader } from "./reader.ts";
import { Requests } from "./requests.ts";
import { Scheduler } from "./scheduler.ts";
import { Sweeper } from "./sweeper.ts";
import { WorkCalls } from "./work_calls.ts";

/** What all partitions of a process have in common. */
export interface PartitionSettings {
  readonly log: Logger;
  readonly prefix: string;
  readonly retention: Retention;
  readonly idempotencyMs: number;
  /** How many times its most messages a topic's unacknowledged work may be. */
  readonly backlogFactor: number;
  /** Names this process. */
  readonly processId: string;
  /** What is counted of its work. @default metrics of its own */
  readonly metrics?: Metrics;
}

/** Which partition. */
export interface PartitionOptions extends PartitionSettings {
  /** From 0. */
  readonly number: number;
  /** Of how many. */
  readonly partitions: number;
  readonly site: Site;
}

/** A random id that is itself in a partition. */
function idIn(number: number, partitions: number): string {
  let id = crypto.randomUUID();
  while (partitionOf(id, partitions) !== number) id = crypto.randomUUID();
  return id;
}

/**
 * One partition as this process works with it: the unit of order and of placement. Nothing is asked of Redis before it is
 * used.
 */
export class Partition implements AsyncDisposable {
  readonly number: number;
  readonly store: PartitionStore;
  readonly feed: Feed;
  readonly reader: Reader;
  readonly index: GroupIndex;
  readonly calls: WorkCalls;
  readonly waiters: GroupWaiters;
  readonly requests: Requests;
  readonly confirmations: Confirmations;
  readonly presence: Presence;
  readonly #metrics: Metrics;
  readonly #lanes: PublishLanes;
  readonly #scheduler: Scheduler;
  readonly #sweeper: Sweeper;
  #isSplit = false;

  constructor(options: PartitionOptions) {
    const { site, log, processId, number, partitions } = options;
    const { prefix, retention, idempotencyMs, backlogFactor, metrics = new Metrics() } = options;
    const store = new PartitionStore(site, {
      ...{ prefix, partition: number, partitions, retention, idempotencyMs, backlogFactor },
    });
    const index = new GroupIndex(store.groups);
    const openLink: Site["openFeedLink"] = (events) => site.openFeedLink(events);
    const closed = () => new RunnelError(this.#isSplit ? "partition_split" : "shutting_down");
    const feed = new Feed({ store, openLink, log, processId, closed, metrics });
    const publish = (message: PreparedMessage) => this.#publish(message);
    this.#metrics = metrics;
    this.number = number;
    this.store = store;
    this.index = index;
    this.feed = feed;
    this.#lanes = new PublishLanes({ store, log, index, metrics, closed });
    this.reader = new Reader(store);
    this.calls = new WorkCalls({
      ...{ store: store.groups, reset: () => store.resetLane(), log, metrics, closed },
    });
    this.waiters = new GroupWaiters({ feed, now: () => store.now });
    this.requests = new Requests({
      ...{ store: store.requests, feed, publish, log, processId, closed },
      newId: () => idIn(number, partitions),
    });
    this.confirmations = new Confirmations({
      ...{ store: store.confirmations, feed, publish, log, processId, closed },
    });
    this.presence = new Presence({ store, log, processId });
    this.#scheduler = new Scheduler({ store, feed, log, index });
    this.#sweeper = new Sweeper({ store, log, processId, index });
  }

  /** Begins what is to be done though nobody asks: retention, and publishing what was kept for later. */
  start(): void {
    this.#sweeper.start();
    this.#scheduler.start();
  }

  /**
   * Stores messages, in order. Never rejects: each message has its own outcome.
   *
   * @param options.atomic all of them or none
   */
  async commit(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean } = {},
  ): Promise<readonly Outcome[]> {
    const outcomes = await this.#lanes.store(messages, options);
    this.#note(outcomes);
    return outcomes;
  }

  /**
   * Sends messages to whoever is listening now, and stores nothing.
   *
   * @throws RedisFailure
   */
  async send(messages: readonly PreparedMessage[]): Promise<void> {
    await this.store.publishEphemeral(messages);
    this.#metrics.published.ephemeral += messages.length;
  }

  /**
   * Answers publishers and requesters that wait; nothing new is taken from them.
   *
   * @param options.split the partition was split: whoever waits goes on elsewhere
   */
  async drain({ split = false } = {}): Promise<void> {
    this.#isSplit = split;
    await Promise.all([
      this.requests[Symbol.asyncDispose](),
      this.confirmations[Symbol.asyncDispose](),
    ]);
    await this.#lanes[Symbol.asyncDispose]();
  }

  /** Answers consumers. Their streams must have ended before: they give back what they could not send. */
  async release(): Promise<void> {
    await this.calls[Symbol.asyncDispose]();
    await this.waiters[Symbol.asyncDispose]();
  }

  /** Closes what is left; to be called after {@link drain} and {@link release}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#scheduler[Symbol.asyncDispose]();
    await this.#sweeper[Symbol.asyncDispose]();
    await this.presence[Symbol.asyncDispose]();
    await this.feed[Symbol.asyncDispose]();
  }

  async #publish(message: PreparedMessage): Promise<Outcome> {
    const outcomes = await this.#lanes.store([message]);
    this.#note(outcomes);
    const [outcome] = outcomes;
    return outcome ?? new RunnelError("internal");
  }

  #note(outcomes: readonly Outcome[]): void {
    const { published } = this.#metrics;
    for (const outcome of outcomes) {
      if (outcome instanceof RunnelError) {
        // it is published again elsewhere
        if (outcome.code !== "partition_split") published.failed++;
      } else if (outcome.scheduled !== undefined) {
        published.scheduled++;
        this.#scheduler.expect(outcome.scheduled.at);
      } else if (outcome.duplicate) published.duplicate++;
      else published.stored++;
    }
  }
}
