import { formatId } from "../codec/id.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { GroupName, PullOp, PullResult, SettleOp, SettleResult } from "../redis/group.ts";
import type { PartitionStore } from "../redis/store.ts";
import type { Feed } from "./feed.ts";
import type { GroupIndex } from "./group_index.ts";
import { GroupStream, type GroupStreamRequest } from "./group_stream.ts";
import { GroupWaiters } from "./group_waiters.ts";
import { Puller, type PullOptions } from "./puller.ts";
import type { Sink } from "./sink.ts";
import type { Start } from "./start.ts";
import type { Streams } from "./streams.ts";
import { isPattern, TopicPattern } from "./topic_pattern.ts";
import { WorkCalls } from "./work_calls.ts";

/** What a consumer asks for. */
export interface PullRequest {
  readonly name: GroupName;
  /** @default nobody in particular */
  readonly consumer?: string;
  /** Rises from pull to pull of a consumer; the same again is the same pull. Needs a consumer. */
  readonly attempt?: number;
  /** Where the group starts if it is new. */
  readonly since: Start;
  readonly max: number;
  readonly leaseMs: number;
}

/** What {@link Groups} works with. */
export interface GroupsOptions {
  readonly store: PartitionStore;
  readonly feed: Feed;
  readonly streams: Streams;
  readonly index: GroupIndex;
  readonly log: Logger;
  readonly processId: string;
  /** Begins what is to be done though nobody asks; called at each use. */
  readonly start: () => void;
}

/** How long opening a stream may take, in milliseconds. */
const OPEN_MS = 1_800;
/** Topics looked at in one call. */
const TOPICS_A_CALL = 500;

/**
 * Groups of consumers that share the work of a topic or pattern.
 *
 * - Each message is leased to one consumer at a time; it leaves the group by ack, as a dead letter, or when it expires.
 * - A lease that runs out, or is given back, goes to whoever pulls next, with its deliveries counted.
 * - Who waits is told by the feed within milliseconds, at no connection of its own.
 */
export class Groups implements AsyncDisposable {
  readonly #options: GroupsOptions;
  readonly #calls: WorkCalls;
  readonly #waiters: GroupWaiters;
  readonly #puller: Puller;
  readonly #draining = new AbortController();
  readonly #pulls = new Set<Promise<unknown>>();

  constructor(options: GroupsOptions) {
    const { store, feed, log } = options;
    this.#options = options;
    this.#calls = new WorkCalls({ store: store.groups, reset: () => store.resetLane(), log });
    this.#waiters = new GroupWaiters({ feed, now: () => store.now });
    this.#puller = new Puller({
      calls: this.#calls,
      waiters: this.#waiters,
      draining: this.#draining.signal,
    });
  }

  /**
   * Leases messages to a consumer, and makes the group where it is new. Where there is nothing it waits, and answers
   * with nothing when time is up, and also when the server is shutting down: whoever pulls again goes elsewhere.
   *
   * @throws RunnelError why not, `outcome_unknown` where it may have leased some, `stale_attempt`, or `client_closed`
   */
  async pull(request: PullRequest, { waitMs, signal }: PullOptions): Promise<PullResult> {
    if (this.#draining.signal.aborted) throw new RunnelError("shutting_down");
    this.#options.start();
    const pulling = this.#pull(request, { waitMs, signal });
    this.#pulls.add(pulling);
    try {
      return await pulling;
    } finally {
      this.#pulls.delete(pulling);
    }
  }

  /**
   * Acknowledges messages, gives them back or keeps them for longer.
   *
   * @throws RunnelError why not, or `outcome_unknown`
   */
  settle(op: SettleOp): Promise<SettleResult> {
    return this.#calls.settle(op);
  }

  /**
   * Opens a stream for a consumer, and makes the group where it is new, so that nothing published from then on is missed.
   *
   * @throws RedisFailure where Redis cannot be reached, or `shutting_down`
   */
  async subscribe(
    request: Omit<GroupStreamRequest, "since"> & { readonly since: Start },
  ): Promise<GroupStream> {
    const { signal } = this.#draining;
    if (signal.aborted) throw new RunnelError("shutting_down");
    const { log, processId, start } = this.#options;
    start();
    const since = await this.#sinceOf(request.since);
    await this.configure(request.name, { since: request.since });
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new RunnelError("redis_timeout")), OPEN_MS);
    try {
      await this.#waiters.heedRoom(late.signal);
    } finally {
      clearTimeout(timer);
    }
    return new GroupStream({ ...request, since }, {
      calls: this.#calls,
      waiters: this.#waiters,
      log,
      id: crypto.randomUUID(),
      processId,
    });
  }

  /** Pushes messages to a client until either ends. */
  serve(stream: GroupStream, sink: Sink): Promise<void> {
    return this.#options.streams.serve(stream, sink);
  }

  /**
   * Makes a group where it is new, and sets how often a message of it is delivered before it becomes a dead letter; null
   * is the default, and what is absent stays.
   *
   * @throws RedisFailure, or RunnelError `group_deleting`
   */
  async configure(
    name: GroupName,
    { since, maxDeliveries }: { since: Start; maxDeliveries?: number | null | undefined },
  ): Promise<{ maxDeliveries: number }> {
    const set = await this.#options.store.groups.configure(name, {
      since: await this.#sinceOf(since),
      maxDeliveries,
    });
    if (set.deleting) throw new RunnelError("group_deleting");
    if (set.created && isPattern(name.sub)) await this.#showTopics(name);
    return { maxDeliveries: set.maxDeliveries };
  }

  /**
   * Removes a group with what it holds.
   *
   * @throws RunnelError `not_found`
   */
  async remove(name: GroupName): Promise<void> {
    if (await this.#options.store.groups.remove(name)) return;
    throw new RunnelError("not_found", `There is no group ${JSON.stringify(name.group)}`);
  }

  /**
   * Puts dead letters of a topic back to the groups that gave them up: those given by id, or all there are now.
   *
   * @throws RedisFailure
   */
  async redrive(
    topic: string,
    which: { ids?: readonly string[] | undefined; group?: string | undefined },
  ): Promise<{ redriven: number; unknown: readonly string[] }> {
    return await this.#options.store.groups.redrive(topic, which);
  }

  /** Answers whoever waits, and takes nothing new. */
  stop(): void {
    this.#draining.abort();
  }

  /** Answers what is under way. Streams must have ended before: they give back what they could not send. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await Promise.allSettled(this.#pulls);
    await this.#calls[Symbol.asyncDispose]();
    await this.#waiters[Symbol.asyncDispose]();
  }

  async #pull(request: PullRequest, { waitMs, signal }: PullOptions): Promise<PullResult> {
    const { name, consumer = "", attempt, max, leaseMs } = request;
    const since = await this.#sinceOf(request.since);
    const op: PullOp = {
      kind: "pull",
      name,
      consumer,
      max,
      leaseMs,
      since,
      ...(attempt === undefined ? {} : { attempt }),
    };
    let result = await this.#puller.once(op, signal);
    if (result.created && isPattern(name.sub)) {
      await this.#showTopics(name);
      result = await this.#puller.once(op, signal);
    }
    return await this.#puller.wait(op, result, { waitMs, signal });
  }

  /**
   * Lets a new pattern group consume the topics that are there. Those that nobody publishes to would be shown to it by
   * the next sweep only.
   */
  async #showTopics({ sub }: GroupName): Promise<void> {
    const { store, index } = this.#options;
    const pattern = new TopicPattern(sub);
    let after: string | undefined;
    for (;;) {
      const page = await store.topics.list({
        prefix: pattern.prefix,
        count: TOPICS_A_CALL,
        ...(after === undefined ? {} : { after }),
      });
      await index.adopt(page.flatMap(({ topic }) => pattern.matches(topic) ? [topic] : []));
      after = page.at(-1)?.topic;
      if (page.length < TOPICS_A_CALL) return;
    }
  }

  async #sinceOf(start: Start): Promise<string> {
    switch (start.kind) {
      case "latest":
      case "earliest":
        return start.kind;
      case "last":
        return `last:${start.count}`;
      case "cursor":
        return formatId(start.id);
      case "time":
        return formatId({ ms: start.ms, seq: 0 });
      case "ago": {
        const { now } = await this.#options.store.position();
        return formatId({ ms: Math.max(now - start.ms, 0), seq: 0 });
      }
    }
  }
}
