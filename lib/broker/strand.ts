import { compareIds, formatId, type Id, latestId, ZERO } from "../codec/id.ts";
import type { StoredMessage } from "../codec/message.ts";
import type { Position } from "../redis/position.ts";
import type { Batch, CursorFrame } from "./batch.ts";
import { ConflatingReader } from "./conflation.ts";
import type { Encoder } from "./encoder.ts";
import type { Feed, FeedListener } from "./feed.ts";
import type { Floors, Gap, Page } from "./page.ts";
import type { Reader } from "./reader.ts";
import type { LiveBatch } from "./ring.ts";
import { findStart, provisionalCursor, type StrandStart } from "./start_point.ts";
import type { TopicFilter } from "./topic_filter.ts";
import { abortable, OVER, pause, repeat } from "./wait.ts";

/** What a strand does: read the log, get frames as they come, wait for a slow client, or nothing more. */
export type StrandState = "replaying" | "live" | "lagging" | "closed";

/** The subscription that a strand is a part of. */
export interface StrandHost {
  /** Aborts when the subscription ends. */
  readonly over: AbortSignal;
  readonly encoder: Encoder;
  /** How many messages the client still wants. */
  readonly left: number;
  /** Whether the client takes less than it is given. */
  readonly isBehind: boolean;
  /** What stands around a strand's id in the cursor; undefined where it is the whole cursor. */
  frameOf(strand: Strand): CursorFrame | undefined;
  /** Resolves when the client has caught up with what it was given. */
  drained(): Promise<void>;
  /** Gives messages, so many. */
  give(bytes: Uint8Array, count: number): void;
  /** Whether somebody wants to know of each message that was given. */
  readonly isTraced: boolean;
  /** Notes that messages were given. */
  trace(messages: readonly StoredMessage[]): void;
  /** Says that messages are gone; with `moves`, the cursor is now after them. */
  announce(gap: Gap, options: { readonly moves: boolean }): void;
  /** Tells the client where it stands, though nothing came. */
  mark(): void;
  /** A strand has read all there was; each says so once. */
  finished(): void;
  /** Reading failed; `before` counts the failures just before. */
  failed(error: unknown, before: number): void;
}

/** Options of {@link Strand}. */
export interface StrandOptions {
  /** The partition's number. */
  readonly number: number;
  readonly reader: Reader;
  readonly feed: Feed;
  readonly filter: TopicFilter;
  readonly start: StrandStart;
  /** Whether it waits for more when it has caught up; else it needs no feed. */
  readonly stays: boolean;
  /** Whether what it reads from the log is only the newest message of each key. */
  readonly conflate: boolean;
  /** Most bytes of a page. @default as the reader has it */
  readonly pageBytes?: number;
}

/** Between looks at the log while the feed is being repaired, in milliseconds. */
const POLL_MS = 500;
/** How long a partition that was out of reach at first may take to be opened, in milliseconds. */
const OPEN_MS = 3_000;

/**
 * The part of a subscription that lies in one partition: **replaying -> live <-> lagging -> closed**. Replay, repair after
 * a break and a slow client are one thing, reading the log from the cursor; only the feed's ring takes it from there to
 * live.
 *
 * Messages are given in id order, each once; whatever is gone is announced before what comes after it.
 */
export class Strand implements FeedListener {
  readonly number: number;
  readonly filter: TopicFilter;
  readonly #options: StrandOptions;
  readonly #host: StrandHost;
  readonly #conflation: ConflatingReader | undefined;
  #state: StrandState = "replaying";
  #cursor: Id;
  #bound: Position | undefined;
  #floors: Floors | undefined;
  #target: Id = ZERO;
  #interrupted = Promise.withResolvers<void>();
  #lostBefore: Id | undefined;
  #opened = false;
  #acquired = false;

  constructor(options: StrandOptions, host: StrandHost) {
    const { number, filter, reader, start } = options;
    this.number = number;
    this.filter = filter;
    this.#options = options;
    this.#host = host;
    this.#cursor = provisionalCursor(start, reader.now);
    this.#conflation = options.conflate
      ? new ConflatingReader(reader, { signal: host.over })
      : undefined;
  }

  /** What it does now. */
  get state(): StrandState {
    return this.#state;
  }

  /** The id up to which everything was given. */
  get cursor(): Id {
    return this.#cursor;
  }

  /**
   * Finds where to start, and makes the feed's channels live before, so that `latest` means from now on. What it takes
   * of the feed is given back by {@link close}.
   *
   * @throws RedisFailure where Redis cannot be reached, or the signal's reason
   */
  async open(signal: AbortSignal): Promise<void> {
    await this.#open(this.#options.start, signal);
  }

  /** Gives messages to the client until the subscription is over. */
  run(): Promise<void> {
    if (this.#lostBefore !== undefined) this.#announceLoss(this.#lostBefore);
    return repeat(() => this.#advance(), {
      signal: this.#host.over,
      onFailure: (error, before) => this.#host.failed(error, before),
    });
  }

  /** Takes note of how far nothing has happened. */
  beat(): void {
    if (this.#state === "live") this.#cursor = latestId(this.#cursor, this.#options.feed.proven);
  }

  /** Stops for good; to be called when it is over. */
  close(): void {
    if (this.#state === "closed") return;
    const { feed } = this.#options;
    this.#state = "closed";
    feed.leave(this);
    if (this.#acquired) feed.release(this.filter);
    this.#acquired = false;
    this.#interrupted.resolve();
  }

  onBatch({ batch }: LiveBatch): void {
    if (this.#state !== "live") return;
    this.#give(batch);
    if (this.#host.isBehind) this.#interrupt("lagging");
  }

  onEphemeral(message: StoredMessage): void {
    if (this.#state !== "live" || this.#host.isBehind) return;
    this.#host.give(this.#host.encoder.messages([message]), 1);
    if (this.#host.isTraced) this.#host.trace([message]);
  }

  onBreak(): void {
    this.#interrupt("replaying");
  }

  async #open(start: StrandStart, signal: AbortSignal): Promise<void> {
    const { feed, stays, reader } = this.#options;
    if (stays && !this.#acquired) {
      await feed.acquire(this.filter, signal);
      this.#acquired = this.#state !== "closed";
      // it was closed while it was being opened
      if (!this.#acquired) feed.release(this.filter);
    }
    const finding = findStart(reader, { filter: this.filter, start });
    const point = await abortable(finding, signal);
    this.#learn(point.position);
    this.#cursor = point.cursor;
    this.#floors = point.floors;
    this.#lostBefore = point.lostBefore;
    this.#opened = true;
  }

  /** The next step. It is no async function, since each of those that wait costs an idle subscriber half a kilobyte. */
  #advance(): Promise<void> {
    const { stays } = this.#options;
    if (!this.#opened) return this.#openLate();
    if (!stays && compareIds(this.#cursor, this.#target) >= 0) {
      this.#host.finished();
      // the others may have something yet
      return this.#interrupted.promise;
    }
    if (this.#host.isBehind) {
      this.#conflation?.fallBehind();
      // a client that never reads must not keep the stream from ending
      return abortable(this.#host.drained(), this.#host.over);
    }
    this.#state = "replaying";
    const isLive = stays && !this.#conflation?.isBehind && this.#goLive();
    return isLive ? this.#interrupted.promise : this.#readOn();
  }

  async #readOn(): Promise<void> {
    if (this.#options.stays && this.#hasReadAll()) await this.#feedOrPause();
    await this.#readPage();
  }

  /** Opens what was out of reach at first, from where it would have stood then. */
  async #openLate(): Promise<void> {
    const signal = AbortSignal.any([this.#host.over, AbortSignal.timeout(OPEN_MS)]);
    const { start } = this.#options;
    const isGuess = start.kind !== "cursor" || start.isGuess;
    await this.#open({ kind: "cursor", id: this.#cursor, isGuess }, signal);
    if (this.#lostBefore !== undefined) this.#announceLoss(this.#lostBefore);
  }

  /** While the feed is being repaired the log is read, though not in a hurry. */
  async #feedOrPause(): Promise<void> {
    const timer = new AbortController();
    const signal = AbortSignal.any([timer.signal, this.#host.over]);
    await Promise.race([
      this.#options.feed.ready(this.filter, signal).catch(() => pause(POLL_MS, signal)),
      pause(POLL_MS, signal),
    ]);
    timer.abort(OVER);
  }

  #hasReadAll(): boolean {
    return this.#bound !== undefined && compareIds(this.#cursor, this.#bound.clock) >= 0;
  }

  /** In one step: what the ring has after the cursor, and from then on every frame. */
  #goLive(): boolean {
    const generation = this.#bound?.generation ?? 0;
    const missed = this.#options.feed.join(this, { cursor: this.#cursor, generation });
    if (missed === undefined) return false;
    this.#interrupted = Promise.withResolvers();
    this.#state = "live";
    this.#floors = undefined;
    for (const live of missed) this.onBatch(live);
    return true;
  }

  async #readPage(): Promise<void> {
    const { reader, pageBytes } = this.#options;
    const bound = this.#bound ?? await reader.position(this.filter, this.#cursor);
    const page = await (this.#conflation ?? reader).page({
      filter: this.filter,
      cursor: this.#cursor,
      bound,
      floors: this.#floors,
      bytes: pageBytes,
    });
    this.#learn(page.position);
    if (this.#host.over.aborted) return;
    if (page.position.lost) return this.#announceLoss(page.cursor);
    this.#takePage(page);
  }

  #takePage(page: Page): void {
    for (const gap of page.gaps) this.#host.announce(gap, { moves: false });
    this.#give(page.batch);
    if (this.#host.left <= 0) return;
    const moved = compareIds(page.cursor, page.batch.last ?? ZERO) > 0;
    this.#cursor = latestId(this.#cursor, page.cursor);
    // otherwise a reconnect before the next message would announce the same gap again
    if (page.gaps.length > 0 && moved) this.#host.mark();
  }

  #give(batch: Batch): void {
    const { encoder, left } = this.#host;
    const { reader: clock } = this.#options;
    const after = this.#cursor;
    const { bytes, count, last } = batch.encode(encoder, {
      after,
      most: left,
      clock,
      frame: this.#host.frameOf(this),
    });
    if (last !== undefined) this.#cursor = last;
    this.#host.give(bytes, count);
    if (last === undefined || !this.#host.isTraced) return;
    const { now } = clock;
    this.#host.trace(batch.messages.filter(({ expires = Infinity }, i) => {
      const id = batch.ids[i] ?? ZERO;
      return compareIds(id, after) > 0 && compareIds(id, last) <= 0 && expires > now;
    }));
  }

  #announceLoss(cursor: Id): void {
    const after = formatId(this.#cursor);
    this.#lostBefore = undefined;
    this.#cursor = cursor;
    this.#host.announce({ topic: null, after, before: null, reason: "failover" }, { moves: true });
  }

  #interrupt(state: "replaying" | "lagging"): void {
    if (this.#state === "closed") return;
    this.#options.feed.leave(this);
    this.#conflation?.fallBehind();
    this.#state = state;
    this.#interrupted.resolve();
  }

  #learn(position: Position): void {
    // a tail that was lost will never be reached
    if (position.generation !== this.#bound?.generation) this.#target = position.clock;
    this.#bound = position;
  }
}
