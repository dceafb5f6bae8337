import { cursorIn } from "../codec/cursor.ts";
import { formatId } from "../codec/id.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Tracing } from "../metrics/tracing.ts";
import { noteDelivery } from "./delivery_trace.ts";
import type { GroupName, PullResult, SettleOp, SettleResult } from "../redis/group.ts";
import { GroupSpan, type SpanPullOp } from "./group_span.ts";
import { GroupStream, type GroupStreamRequest } from "./group_stream.ts";
import type { Partition } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import { Puller, type PullOptions } from "./puller.ts";
import { rerouting } from "./rerouting.ts";
import type { Sink } from "./sink.ts";
import { allOf, anyOf } from "./spread.ts";
import type { Start } from "./start.ts";
import type { Streams } from "./streams.ts";
import { isPattern, TopicPattern } from "../codec/topic_pattern.ts";
import { within } from "./wait.ts";

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
  readonly partitions: Partitions;
  readonly streams: Streams;
  readonly log: Logger;
  readonly processId: string;
  /** What is counted of its work. */
  readonly metrics: Metrics;
  /** Makes spans of what is delivered. @default nobody collects any */
  readonly tracing?: Tracing | undefined;
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
export class Groups {
  readonly #options: GroupsOptions;
  readonly #pulls = new Set<Promise<unknown>>();
  #draining = new AbortController();
  #stopped = false;

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  /**
   * Leases messages to a consumer, and makes the group where it is new. Where there is nothing it waits, and answers
   * with nothing when time is up, and also when the server is shutting down: whoever pulls again goes elsewhere.
   *
   * @throws RunnelError why not, `outcome_unknown` where it may have leased some, `stale_attempt`, or `client_closed`
   */
  async pull(request: PullRequest, { waitMs, signal }: PullOptions): Promise<PullResult> {
    if (this.#stopped) throw new RunnelError("shutting_down");
    this.#options.start();
    const pulling = rerouting(() => this.#pull(request, { waitMs, signal }));
    this.#pulls.add(pulling);
    try {
      const result = await pulling;
      const { metrics, tracing } = this.#options;
      metrics.delivered.pull += result.messages.length;
      if (tracing !== undefined) {
        const messages = result.messages.map(({ message }) => message);
        noteDelivery(tracing, messages, { by: request.name.group });
      }
      return result;
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
    return rerouting(async () => await new GroupSpan(await this.#partsOf(op.name)).settle(op));
  }

  /**
   * Opens a stream for a consumer, and makes the group where it is new, so that nothing published from then on is missed.
   *
   * @throws RedisFailure where Redis cannot be reached, or `shutting_down`
   */
  async subscribe(
    request: Omit<GroupStreamRequest, "since"> & { readonly since: Start },
  ): Promise<GroupStream> {
    if (this.#stopped) throw new RunnelError("shutting_down");
    const { log, processId, metrics, tracing, start } = this.#options;
    start();
    return await rerouting(async () => {
      const parts = await this.#partsOf(request.name);
      const since = await this.#sinceOf(request.since, parts);
      await anyOf(parts, (partition) => make(partition, request.name, { since }));
      await within(
        OPEN_MS,
        () => new RunnelError("redis_timeout"),
        (signal) => anyOf(parts, ({ waiters }) => waiters.heedRoom(signal)),
      );
      const stream = {
        span: new GroupSpan(parts),
        log,
        id: crypto.randomUUID(),
        processId,
        metrics,
        tracing,
      };
      return new GroupStream({ ...request, since }, stream);
    });
  }

  /** Pushes messages to a client until either ends. */
  async serve(stream: GroupStream, sink: Sink): Promise<void> {
    const { streams, metrics: { open } } = this.#options;
    open.group_stream++;
    await streams.serve(stream, sink);
    open.group_stream--;
  }

  /**
   * Makes a group where it is new, and sets how often a message of it is delivered before it becomes a dead letter; null
   * is the default, and what is absent stays.
   *
   * @throws RedisFailure, or RunnelError `group_deleting`
   */
  configure(
    name: GroupName,
    { since, maxDeliveries }: { since: Start; maxDeliveries?: number | null | undefined },
  ): Promise<{ maxDeliveries: number }> {
    return rerouting(async () => {
      const parts = await this.#partsOf(name);
      const startIn = await this.#sinceOf(since, parts);
      const [first] = await allOf(
        parts,
        (partition) => make(partition, name, { since: startIn, maxDeliveries }),
      );
      return { maxDeliveries: first.maxDeliveries };
    });
  }

  /**
   * Removes a group with what it holds.
   *
   * @throws RunnelError `not_found`
   */
  async remove(name: GroupName): Promise<void> {
    const existed = await rerouting(async () =>
      await allOf(await this.#partsOf(name), ({ store }) => store.groups.remove(name))
    );
    if (existed.includes(true)) return;
    throw new RunnelError("not_found", `There is no group ${JSON.stringify(name.group)}`);
  }

  /**
   * Puts dead letters of a topic back to the groups that gave them up: those given by id, or all there are now.
   *
   * @throws RedisFailure
   */
  redrive(
    topic: string,
    which: { ids?: readonly string[] | undefined; group?: string | undefined },
  ): Promise<{ redriven: number; unknown: readonly string[] }> {
    return rerouting(async () => {
      const set = await this.#options.partitions.current();
      return await set.of(topic).store.groups.redrive(topic, which);
    });
  }

  /** Answers whoever waits, with nothing: they are to come again, and find where the topics are now. */
  release(): void {
    this.#draining.abort();
    this.#draining = new AbortController();
  }

  /** Answers whoever waits, and takes nothing new. */
  stop(): void {
    this.#stopped = true;
    this.#draining.abort();
  }

  /** Waits until nothing is under way. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#pulls);
  }

  async #partsOf({ sub }: GroupName): Promise<readonly Partition[]> {
    return (await this.#options.partitions.current()).spannedBy(sub);
  }

  async #pull(request: PullRequest, { waitMs, signal }: PullOptions): Promise<PullResult> {
    const { name, consumer = "", attempt, max, leaseMs } = request;
    const parts = await this.#partsOf(name);
    const since = await this.#sinceOf(request.since, parts);
    const op: SpanPullOp = {
      kind: "pull",
      name,
      consumer,
      max,
      leaseMs,
      since,
      ...(attempt === undefined ? {} : { attempt }),
    };
    const puller = new Puller({ span: new GroupSpan(parts), draining: this.#draining.signal });
    let result = await puller.once(op, signal);
    if (result.created && isPattern(name.sub)) {
      await anyOf(parts, (partition) => showTopics(partition, name));
      result = await puller.once(op, signal);
    }
    return await puller.wait(op, result, { waitMs, signal });
  }

  async #sinceOf(
    start: Start,
    parts: readonly Partition[],
  ): Promise<(partition: number) => string> {
    switch (start.kind) {
      case "latest":
      case "earliest":
        return () => start.kind;
      case "last":
        return () => `last:${start.count}`;
      case "cursor": {
        const { all: { length: partitions } } = await this.#options.partitions.current();
        return (number) => formatId(cursorIn(start.cursor, { number, partitions }).id);
      }
      case "time":
        return () => formatId({ ms: start.ms, seq: 0 });
      case "ago": {
        const [first] = await anyOf(parts, ({ store }) => store.position());
        return () => formatId({ ms: Math.max(first.now - start.ms, 0), seq: 0 });
      }
    }
  }
}

async function make(
  partition: Partition,
  name: GroupName,
  { since, maxDeliveries }: {
    since: (partition: number) => string;
    maxDeliveries?: number | null | undefined;
  },
): Promise<{ maxDeliveries: number }> {
  const { number, store } = partition;
  const set = await store.groups.configure(name, { since: since(number), maxDeliveries });
  if (set.deleting) throw new RunnelError("group_deleting");
  if (set.created && isPattern(name.sub)) await showTopics(partition, name);
  return set;
}

/**
 * Lets a new pattern group consume the topics that are there. Those that nobody publishes to would be shown to it by
 * the next sweep only.
 */
async function showTopics({ store, index }: Partition, { sub }: GroupName): Promise<void> {
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
