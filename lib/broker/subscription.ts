import { formatCursor } from "../codec/cursor.ts";
import { formatId, type Id } from "../codec/id.ts";
import { RunnelError } from "../errors.ts";
import type { StoredMessage } from "../codec/message.ts";
import { STATS_TOPIC } from "../codec/topic.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Tracing } from "../metrics/tracing.ts";
import { noteDelivery } from "./delivery_trace.ts";
import type { CursorFrame } from "./batch.ts";
import type { ByeReason, Encoder } from "./encoder.ts";
import type { Feed } from "./feed.ts";
import { lifetimeOf, type LifetimeOptions } from "./lifetime.ts";
import type { Gap } from "./page.ts";
import type { Reader } from "./reader.ts";
import type { Sink } from "./sink.ts";
import type { Start } from "./start.ts";
import { startsOf } from "./start_point.ts";
import { Strand, type StrandHost, type StrandState } from "./strand.ts";
import { comeBackMs, RETRY_MS, type Stream } from "./streams.ts";
import type { TopicFilter } from "./topic_filter.ts";
import { abortable, OVER } from "./wait.ts";

/** What a client asked for. */
export interface SubscribeRequest extends LifetimeOptions {
  readonly filter: TopicFilter;
  readonly start: Start;
  readonly encoder: Encoder;
  /** Ends after so many messages. @default Infinity */
  readonly limit?: number;
  /** Whether it stays when it has caught up. @default true */
  readonly wait?: boolean;
  /** Whether what it reads from the log is only the newest message of each key. @default false */
  readonly conflate?: boolean;
}

/** One partition that a subscription spans, with the part of its filter that concerns it. */
export interface SubscribedPartition {
  readonly number: number;
  readonly filter: TopicFilter;
  readonly reader: Reader;
  readonly feed: Feed;
}

/** What a subscription works with. */
export interface SubscriptionParts {
  /** The partitions that it spans, at least one. */
  readonly spans: readonly SubscribedPartition[];
  /** How many partitions there are in all. */
  readonly partitions: number;
  readonly log: Logger;
  readonly id: string;
  /** What is counted of its work. @default nothing */
  readonly metrics?: Metrics;
  /** Makes spans of what is delivered. @default nobody collects any */
  readonly tracing?: Tracing | undefined;
}

/** Unread bytes at which a live subscription turns lagging. */
const BACKLOG_BYTES = 256 << 10;
/** What pages of all strands weigh together at the most, but for the least of each. */
const PAGES_BYTES = 1 << 20;
const PAGE_LEAST_BYTES = 64 << 10;
/** How long the partitions that answer wait at the start for those that do not, in milliseconds. */
const STRAGGLER_MS = 500;

/**
 * One open stream: messages of the topics and patterns of one client, each once, in id order within each partition. It
 * has a {@link Strand} for each partition that it spans; where these are several, the cursor names the place in each.
 */
export class Subscription implements Stream, StrandHost {
  readonly encoder: Encoder;
  readonly filter: TopicFilter;
  readonly #request: SubscribeRequest;
  readonly #parts: SubscriptionParts;
  readonly #over = new AbortController();
  #strands: readonly Strand[] = [];
  #sink: Sink | undefined;
  readonly #metrics: Metrics | undefined;
  #left: number;
  /** Strands that have not read all there was. */
  #unfinished = 0;

  constructor(request: SubscribeRequest, parts: SubscriptionParts) {
    this.encoder = request.encoder;
    this.filter = request.filter;
    this.#request = request;
    this.#parts = parts;
    // who looks at what is counted must not change it
    this.#metrics = request.filter.key === STATS_TOPIC ? undefined : parts.metrics;
    this.#left = request.limit ?? Infinity;
  }

  /** What it does now. */
  get state(): StrandState {
    if (this.#over.signal.aborted) return "closed";
    const states = new Set(this.#strands.map(({ state }) => state));
    if (states.has("lagging")) return "lagging";
    return states.size === 1 && states.has("live") ? "live" : "replaying";
  }

  /** Its name, unique among all. */
  get id(): string {
    return this.#parts.id;
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  get left(): number {
    return this.#left;
  }

  get isBehind(): boolean {
    return (this.#sink?.backlog ?? 0) > BACKLOG_BYTES;
  }

  /**
   * Finds where to start in each partition. A partition that is out of reach is opened later, from where it would have
   * stood now, unless it is the only one, or the client wants all there is and no more.
   *
   * @throws RedisFailure where Redis cannot be reached, or the signal's reason
   */
  async open(signal: AbortSignal): Promise<void> {
    const { spans, partitions } = this.#parts;
    const { start, conflate = false } = this.#request;
    const starts = await abortable(startsOf(start, { spans, partitions }), signal);
    const pageBytes = Math.max(PAGE_LEAST_BYTES, Math.floor(PAGES_BYTES / spans.length));
    this.#strands = spans.map((span, i) =>
      new Strand({
        ...span,
        start: starts[i] ?? { kind: "latest" },
        stays: this.#stays,
        conflate,
        ...(spans.length === 1 ? {} : { pageBytes }),
      }, this)
    );
    this.#unfinished = this.#strands.length;
    try {
      await this.#openStrands(signal);
    } catch (error) {
      this.#close();
      throw error;
    }
  }

  /** Gives messages to a client until it leaves, {@link end} is called, or the request's limits are reached. */
  async run(sink: Sink): Promise<void> {
    this.#sink = sink;
    const leave = () => this.#close();
    sink.gone.addEventListener("abort", leave, { once: true });
    using _life = this.#lifetime(sink);
    try {
      await this.#runStrands(sink);
    } finally {
      sink.gone.removeEventListener("abort", leave);
      this.#close();
      sink.end();
    }
  }

  // apart from run(): whatever a function has made stays in memory for as long as it waits
  #lifetime(sink: Sink): Disposable | undefined {
    return lifetimeOf(this.#request, {
      end: (reason) => this.end(reason),
      expiring: (inMs) => sink.write(this.encoder.expiring(inMs)),
    });
  }

  #runStrands(sink: Sink): Promise<unknown> {
    const ready = { subscription: this.id, cursor: this.#cursorText() };
    sink.write(this.encoder.ready(ready, RETRY_MS));
    if (sink.gone.aborted) this.#close();
    const [only, ...others] = this.#strands;
    return only !== undefined && others.length === 0
      ? only.run()
      : Promise.all(this.#strands.map((strand) => strand.run()));
  }

  /** Says good-bye and ends the stream; clients come back after a while that differs for each. */
  end(reason: ByeReason): void {
    if (this.#over.signal.aborted) return;
    this.#sink?.write(this.encoder.bye(reason, comeBackMs(reason)));
    this.#close();
  }

  /** Tells the client that the stream lives, and how far nothing has happened. */
  beat(): void {
    if (this.#sink === undefined || this.#over.signal.aborted || this.isBehind) return;
    for (const strand of this.#strands) strand.beat();
    this.mark();
  }

  frameOf(strand: Strand): CursorFrame | undefined {
    if (this.#strands.length === 1) return undefined;
    const { partitions } = this.#parts;
    let before = "", after = "";
    let isBefore = true;
    for (const one of this.#strands) {
      if (one === strand) {
        isBefore = false;
        before += `${one.number}.`;
      } else if (isBefore) before += `${one.number}.${formatId(one.cursor)}~`;
      else after += `~${one.number}.${formatId(one.cursor)}`;
    }
    return { before, after: `${after}~${partitions}` };
  }

  async drained(): Promise<void> {
    await this.#sink?.drained();
  }

  give(bytes: Uint8Array, count: number): void {
    this.#left -= count;
    if (this.#metrics !== undefined) this.#metrics.delivered.subscription += count;
    if (bytes.length > 0) this.#sink?.write(bytes);
    if (this.#left <= 0) this.end("limit");
  }

  get isTraced(): boolean {
    return this.#parts.tracing !== undefined && this.#metrics !== undefined;
  }

  trace(messages: readonly StoredMessage[]): void {
    const { tracing } = this.#parts;
    if (tracing !== undefined) noteDelivery(tracing, messages, { by: "subscription" });
  }

  /** Gives a message that is not stored, and comes by no feed. */
  giveAside(message: StoredMessage): void {
    if (this.#over.signal.aborted || this.isBehind) return;
    this.give(this.encoder.messages([message]), 1);
  }

  announce(gap: Gap, { moves }: { moves: boolean }): void {
    if (this.#metrics !== undefined) this.#metrics.gaps[gap.reason]++;
    this.#sink?.write(this.encoder.gap(gap, moves ? this.#cursorText() : undefined));
  }

  mark(): void {
    this.#sink?.write(this.encoder.heartbeat(this.#cursorText()));
  }

  finished(): void {
    if (--this.#unfinished <= 0) this.end("caught_up");
  }

  // what another try cannot mend is for the operator, and said once
  failed(error: unknown, before: number): void {
    if (error instanceof RunnelError && error.code === "partition_split") return this.end("moved");
    const hopeless = !(error instanceof RunnelError && error.retryable);
    const level = hopeless && before === 0 ? "warn" : "debug";
    this.#parts.log[level]("subscription cannot read", { subscription: this.id, error });
  }

  async #openStrands(signal: AbortSignal): Promise<void> {
    const [only, ...others] = this.#strands;
    if (only !== undefined && others.length === 0) return await only.open(signal);
    const late = new AbortController();
    const either = AbortSignal.any([signal, late.signal]);
    let timer: ReturnType<typeof setTimeout> | undefined;
    // whoever has an answer waits no longer than a moment for those that may have none
    const giveUp = () => late.abort(new RunnelError("redis_timeout"));
    const onOpened = () => timer ??= setTimeout(giveUp, STRAGGLER_MS);
    const opening = this.#strands.map((strand) =>
      strand.open(either).then(this.#stays ? onOpened : () => {})
    );
    const results = await Promise.allSettled(opening);
    clearTimeout(timer);
    const failures = results.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
    const [failure] = failures;
    if (failure === undefined) return;
    const isSplit = failures.some((one) =>
      one instanceof RunnelError && one.code === "partition_split"
    );
    if (isSplit || !this.#stays || failures.length === results.length) throw failure;
    this.#parts.log.info("subscription begins without some partitions", {
      subscription: this.id,
      partitions: failures.length,
      error: failure,
    });
  }

  #cursorText(): string {
    const [only, ...others] = this.#strands;
    if (only !== undefined && others.length === 0) return formatId(only.cursor);
    const ids = this.#strands.map(({ number, cursor }): [number, Id] => [number, cursor]);
    return formatCursor(ids, this.#parts.partitions);
  }

  #close(): void {
    this.#over.abort(OVER);
    for (const strand of this.#strands) strand.close();
  }

  /** Whether it waits for more when it has caught up; else it needs no feed. */
  get #stays(): boolean {
    return this.#request.wait !== false;
  }
}
