import { compareIds, formatId, type Id, latestId, ZERO } from "../codec/id.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { StoredMessage } from "../codec/message.ts";
import type { Position } from "../redis/position.ts";
import type { Batch } from "./batch.ts";
import { ConflatingReader } from "./conflation.ts";
import type { ByeReason, Encoder } from "./encoder.ts";
import type { Feed, FeedListener } from "./feed.ts";
import type { Floors, Page } from "./page.ts";
import type { Reader } from "./reader.ts";
import type { LiveBatch } from "./ring.ts";
import type { Sink } from "./sink.ts";
import type { Start } from "./start.ts";
import { findStart } from "./start_point.ts";
import type { TopicFilter } from "./topic_filter.ts";
import { abortable, pause, repeat } from "./wait.ts";

/** What a client asked for. */
export interface SubscribeRequest {
  readonly filter: TopicFilter;
  readonly start: Start;
  readonly encoder: Encoder;
  /** Ends after so many messages. @default Infinity */
  readonly limit?: number;
  /** Whether it stays when it has caught up. @default true */
  readonly wait?: boolean;
  /** Ends after so many milliseconds. @default never */
  readonly lifetimeMs?: number;
  /** Whether what it reads from the log is only the newest message of each key. @default false */
  readonly conflate?: boolean;
}

/** What a subscription works with. */
export interface SubscriptionParts {
  readonly reader: Reader;
  readonly feed: Feed;
  readonly log: Logger;
  readonly id: string;
}

/** Unread bytes at which a live subscription turns lagging. */
const BACKLOG_BYTES = 256 << 10;
/** Between looks at the log while the feed is being repaired, in milliseconds. */
const POLL_MS = 500;
const RETRY_MS = 2_000;
const BYE_SPREAD_MS = 5_000;

/** What a subscription does: read the log, get frames as they come, wait for a slow client, or nothing more. */
export type SubscriptionState = "replaying" | "live" | "lagging" | "closed";

/**
 * One open stream: **replaying -> live <-> lagging -> closed**. Replay, repair after a break and a slow client are one
 * thing, reading the log from the cursor; only the feed's ring takes it from there to live.
 *
 * Messages are given in id order, each once; whatever is gone is announced before what comes after it.
 */
export class Subscription implements FeedListener {
  readonly filter: TopicFilter;
  readonly #request: SubscribeRequest;
  readonly #parts: SubscriptionParts;
  readonly #over = new AbortController();
  readonly #conflation: ConflatingReader | undefined;
  #state: SubscriptionState = "replaying";
  #sink: Sink | undefined;
  #cursor: Id = ZERO;
  #bound: Position | undefined;
  #floors: Floors | undefined;
  #target: Id = ZERO;
  #left: number;
  #interrupted = Promise.withResolvers<void>();
  #lostBefore: Id | undefined;

  constructor(request: SubscribeRequest, parts: SubscriptionParts) {
    this.filter = request.filter;
    this.#request = request;
    this.#parts = parts;
    this.#left = request.limit ?? Infinity;
    this.#conflation = request.conflate === true
      ? new ConflatingReader(parts.reader, { signal: this.#over.signal })
      : undefined;
  }

  /** What it does now. */
  get state(): SubscriptionState {
    return this.#state;
  }

  /** Its name, unique among all. */
  get id(): string {
    return this.#parts.id;
  }

  /**
   * Finds where to start, and makes the feed's channels live before, so that `latest` means from now on.
   * The feed is given back by {@link run}, or here where it fails.
   *
   * @throws RedisFailure where Redis cannot be reached, or the signal's reason
   */
  async open(signal: AbortSignal): Promise<void> {
    const { feed } = this.#parts;
    if (!this.#stays) return await abortable(this.#resolveStart(), signal);
    await feed.acquire(this.filter, signal);
    try {
      await abortable(this.#resolveStart(), signal);
    } catch (error) {
      feed.release(this.filter);
      throw error;
    }
  }

  /** Gives messages to a client until it leaves, {@link end} is called, or the request's limits are reached. */
  async run(sink: Sink): Promise<void> {
    const { feed, id } = this.#parts;
    this.#sink = sink;
    const leave = () => this.#close();
    sink.gone.addEventListener("abort", leave, { once: true });
    const life = this.#request.lifetimeMs === undefined
      ? undefined
      : setTimeout(() => this.end("time"), this.#request.lifetimeMs);
    try {
      const ready = { subscription: id, cursor: formatId(this.#cursor) };
      sink.write(this.#request.encoder.ready(ready, RETRY_MS));
      if (this.#lostBefore !== undefined) this.#announceLoss(this.#lostBefore);
      if (sink.gone.aborted) this.#close();
      await repeat(() => this.#advance(sink), {
        signal: this.#over.signal,
        onFailure: (error, before) => this.#tellOfFailure(error, before),
      });
    } finally {
      clearTimeout(life);
      sink.gone.removeEventListener("abort", leave);
      this.#close();
      if (this.#stays) feed.release(this.filter);
      sink.end();
    }
  }

  /** Says good-bye and ends the stream; clients come back after a while that differs for each. */
  end(reason: ByeReason): void {
    if (this.#state === "closed") return;
    const spread = reason === "shutdown" || reason === "time" ? Math.random() * BYE_SPREAD_MS : 0;
    this.#sink?.write(this.#request.encoder.bye(reason, Math.round(RETRY_MS / 4 + spread)));
    this.#close();
  }

  /** Tells the client that the stream lives, and how far nothing has happened. */
  beat(): void {
    const sink = this.#sink;
    if (sink === undefined || this.#state === "closed" || sink.backlog > BACKLOG_BYTES) return;
    if (this.#state === "live") this.#cursor = latestId(this.#cursor, this.#parts.feed.proven);
    sink.write(this.#request.encoder.heartbeat(formatId(this.#cursor)));
  }

  onBatch({ batch }: LiveBatch): void {
    if (this.#state !== "live") return;
    this.#give(batch);
    if (this.#isBehind()) this.#interrupt("lagging");
  }

  onEphemeral(message: StoredMessage): void {
    const { encoder } = this.#request;
    if (this.#state !== "live" || this.#isBehind()) return;
    this.#sink?.write(encoder.messages([message]));
    if (--this.#left <= 0) this.end("limit");
  }

  onBreak(): void {
    this.#interrupt("replaying");
  }

  // what another try cannot mend is for the operator, and said once
  #tellOfFailure(error: unknown, before: number): void {
    const hopeless = !(error instanceof RunnelError && error.retryable);
    const level = hopeless && before === 0 ? "warn" : "debug";
    this.#parts.log[level]("subscription cannot read", { subscription: this.id, error });
  }

  async #advance(sink: Sink): Promise<void> {
    if (this.#left <= 0) return this.end("limit");
    if (!this.#stays && compareIds(this.#cursor, this.#target) >= 0) {
      return this.end("caught_up");
    }
    if (this.#isBehind()) {
      this.#conflation?.fallBehind();
      // a client that never reads must not keep the stream from ending
      return await abortable(sink.drained(), this.#over.signal);
    }
    this.#state = "replaying";
    if (this.#stays && !this.#conflation?.isBehind && this.#goLive()) {
      await this.#interrupted.promise;
      return;
    }
    if (this.#stays && this.#hasReadAll()) await this.#feedOrPause();
    await this.#readPage();
  }

  /** While the feed is being repaired the log is read, though not in a hurry. */
  async #feedOrPause(): Promise<void> {
    const timer = new AbortController();
    const signal = AbortSignal.any([timer.signal, this.#over.signal]);
    await Promise.race([
      this.#parts.feed.ready(this.filter, signal).catch(() => pause(POLL_MS, signal)),
      pause(POLL_MS, signal),
    ]);
    timer.abort();
  }

  #hasReadAll(): boolean {
    return this.#bound !== undefined && compareIds(this.#cursor, this.#bound.clock) >= 0;
  }

  /** In one step: what the ring has after the cursor, and from then on every frame. */
  #goLive(): boolean {
    const { feed } = this.#parts;
    const generation = this.#bound?.generation ?? 0;
    const missed = feed.join(this, { cursor: this.#cursor, generation });
    if (missed === undefined) return false;
    this.#interrupted = Promise.withResolvers();
    this.#state = "live";
    this.#floors = undefined;
    for (const live of missed) this.onBatch(live);
    return true;
  }

  async #readPage(): Promise<void> {
    const bound = this.#bound ?? await this.#parts.reader.position(this.filter, this.#cursor);
    const page = await (this.#conflation ?? this.#parts.reader).page({
      filter: this.filter,
      cursor: this.#cursor,
      bound,
      floors: this.#floors,
    });
    this.#learn(page.position);
    if (this.#over.signal.aborted) return;
    if (page.position.lost) return this.#announceLoss(page.cursor);
    this.#takePage(page);
  }

  #takePage(page: Page): void {
    const { encoder } = this.#request;
    for (const gap of page.gaps) this.#sink?.write(encoder.gap(gap));
    this.#give(page.batch);
    if (this.#left <= 0) return;
    const moved = compareIds(page.cursor, page.batch.last ?? ZERO) > 0;
    this.#cursor = latestId(this.#cursor, page.cursor);
    // otherwise a reconnect before the next message would announce the same gap again
    if (page.gaps.length > 0 && moved) this.#sink?.write(encoder.heartbeat(formatId(this.#cursor)));
  }

  #give(batch: Batch): void {
    const { bytes, count, last } = batch.encode(this.#request.encoder, {
      after: this.#cursor,
      most: this.#left,
      now: this.#parts.reader.now,
    });
    if (last !== undefined) this.#cursor = last;
    this.#left -= count;
    if (bytes.length > 0) this.#sink?.write(bytes);
    if (this.#left <= 0) this.end("limit");
  }

  #announceLoss(cursor: Id): void {
    const gap = {
      topic: null,
      after: formatId(this.#cursor),
      before: null,
      reason: "failover" as const,
    };
    this.#cursor = cursor;
    this.#sink?.write(this.#request.encoder.gap(gap, formatId(cursor)));
  }

  #isBehind(): boolean {
    return (this.#sink?.backlog ?? 0) > BACKLOG_BYTES;
  }

  #interrupt(state: "replaying" | "lagging"): void {
    if (this.#state === "closed") return;
    this.#parts.feed.leave(this);
    this.#conflation?.fallBehind();
    this.#state = state;
    this.#interrupted.resolve();
  }

  #close(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#parts.feed.leave(this);
    this.#over.abort();
    this.#interrupted.resolve();
  }

  #learn(position: Position): void {
    // a tail that was lost will never be reached
    if (position.generation !== this.#bound?.generation) this.#target = position.clock;
    this.#bound = position;
  }

  /** Whether it waits for more when it has caught up; else it needs no feed. */
  get #stays(): boolean {
    return this.#request.wait !== false;
  }

  async #resolveStart(): Promise<void> {
    const { start } = this.#request;
    const point = await findStart(this.#parts.reader, { filter: this.filter, start });
    this.#learn(point.position);
    this.#cursor = point.cursor;
    this.#floors = point.floors;
    this.#lostBefore = point.lostBefore;
  }
}
