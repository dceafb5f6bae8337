import type { Feed } from "./feed.ts";
import type { TopicFilter } from "./topic_filter.ts";
import { pause } from "./wait.ts";
import type { FeedWatcher } from "./watchers.ts";

/** Options of {@link WaitingLine}. */
export interface WaitingLineOptions {
  /** The group's key. */
  readonly group: string;
  /** The group's topic or pattern. */
  readonly filter: TopicFilter;
  readonly feed: Pick<Feed, "acquire" | "release" | "watch">;
  /** Redis's time, in milliseconds since 1970. */
  readonly now: () => number;
  /** Nobody is in it any more. */
  readonly onEmpty: () => void;
}

/** What a pull found out for those who wait. */
export interface Outlook {
  /** When the group's next lease or delay ends, in milliseconds on Redis's clock. */
  readonly nextDue?: number | undefined;
  /** Whether there is something for others, but not for this one: it holds as much as it may. @default false */
  readonly full?: boolean;
}

/** Between looks for what no frame tells of, in milliseconds: while something is due sometime, and else. */
const DUE_TICK_MS = 1_000;
const IDLE_TICK_MS = 4_500;
/** Between looks while the feed is being repaired, in milliseconds. */
const BROKEN_TICK_MS = 500;
/** What is due now by our clock is a little later by Redis's. */
const LEAST_MS = 5;

/**
 * Those in this process who wait for work of one group, first come, first served. It is told by the feed when there may
 * be some, and calls as many as there may be work for: one, and two more for each that found some and left more.
 */
export class WaitingLine implements FeedWatcher {
  readonly #options: WaitingLineOptions;
  readonly #over = new AbortController();
  readonly #idle: Place[] = [];
  readonly #full = new Set<Place>();
  #members = 0;
  #places = 0;
  /** Somebody was to be called, and nobody was idle: whoever is next looks at once. */
  #owed = false;
  #live = false;
  #due: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #broken = Promise.withResolvers<void>();
  #listening: Promise<void> | undefined;

  constructor(options: WaitingLineOptions) {
    this.#options = options;
  }

  /** What it waits for. */
  get filter(): TopicFilter {
    return this.#options.filter;
  }

  /** Takes a place, to be given back by {@link Place.leave}. */
  enter(): Place {
    this.#members++;
    this.#listening ??= this.#listen();
    return new Place(++this.#places, {
      idle: (place, full) => this.#park(place, full),
      unpark: (place) => this.#unpark(place),
      call: (count) => this.#call(count),
      callAll: () => this.#callAll(),
      expect: (due) => this.#expect(due),
      leave: () => {
        if (--this.#members === 0) this.#options.onEmpty();
      },
    });
  }

  /** A consumer of the group in this process that held as much as it may has room again. */
  onRoom(): void {
    for (const place of this.#full) place.come();
    this.#full.clear();
  }

  onActivity(): void {
    this.#call(1);
  }

  onWake(group: string, dueMs: number): void {
    if (group !== this.#options.group) return;
    if (dueMs <= this.#options.now()) this.#call(1);
    else this.#expect(dueMs);
  }

  onBreak(): void {
    this.#broken.resolve();
  }

  /** Stops listening; resolves when the feed has been given back. */
  async close(): Promise<void> {
    this.#over.abort();
    this.#broken.resolve();
    clearTimeout(this.#timer);
    await this.#listening;
  }

  #park(place: Place, full: boolean): void {
    if (full) return void this.#full.add(place);
    if (this.#owed) {
      this.#owed = false;
      return place.come();
    }
    const after = this.#idle.findIndex(({ number }) => number > place.number);
    this.#idle.splice(after < 0 ? this.#idle.length : after, 0, place);
  }

  #unpark(place: Place): void {
    this.#full.delete(place);
    const at = this.#idle.indexOf(place);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #call(count: number): void {
    const called = this.#idle.splice(0, count);
    if (called.length < count) this.#owed = true;
    for (const place of called) place.come();
  }

  #callAll(): void {
    this.#call(this.#idle.length);
    this.onRoom();
  }

  #expect(due: number): void {
    if (this.#due !== undefined && this.#due <= due) return;
    this.#due = due;
    this.#arm();
  }

  #arm(): void {
    clearTimeout(this.#timer);
    if (this.#over.signal.aborted) return;
    const left = this.#due === undefined ? Infinity : this.#due - this.#options.now();
    this.#timer = setTimeout(() => this.#tick(), Math.max(Math.min(left, this.#tickMs), LEAST_MS));
  }

  get #tickMs(): number {
    if (!this.#live) return BROKEN_TICK_MS;
    // processes that began together must not look together for ever
    return this.#due === undefined ? IDLE_TICK_MS * (0.9 + Math.random() / 5) : DUE_TICK_MS;
  }

  #tick(): void {
    if (this.#due !== undefined && this.#due <= this.#options.now()) this.#due = undefined;
    if (this.#idle.length > 0) this.#call(1);
    this.onRoom();
    this.#arm();
  }

  async #listen(): Promise<void> {
    const { feed, filter } = this.#options;
    const { signal } = this.#over;
    this.#arm();
    while (!signal.aborted) {
      try {
        await feed.acquire(filter, signal);
      } catch {
        await pause(BROKEN_TICK_MS, signal);
        continue;
      }
      await this.#watch();
      feed.release(filter);
    }
  }

  /** Listens until the feed breaks. */
  async #watch(): Promise<void> {
    this.#broken = Promise.withResolvers();
    if (this.#over.signal.aborted) return;
    const stop = this.#options.feed.watch(this);
    this.#live = true;
    this.#arm();
    // what came before, nobody was told of
    this.#call(1);
    await this.#broken.promise;
    stop();
    this.#live = false;
    this.#arm();
  }
}

/** What a place asks of its line. */
interface LineCalls {
  idle(place: Place, full: boolean): void;
  unpark(place: Place): void;
  call(count: number): void;
  callAll(): void;
  expect(due: number): void;
  leave(): void;
}

/** A place in a {@link WaitingLine}. */
export class Place {
  readonly #line: LineCalls;
  #turn: PromiseWithResolvers<void> | undefined;
  #called = false;

  constructor(
    /** The lower it is, the earlier it is called. */
    readonly number: number,
    line: LineCalls,
  ) {
    this.#line = line;
  }

  /** Waits until there may be work for this one, or the signal aborts; to be called after a pull that gave nothing. */
  async turn({ nextDue, full = false }: Outlook, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    this.#called = false;
    if (nextDue !== undefined && !full) this.#line.expect(nextDue);
    const turn = this.#turn = Promise.withResolvers<void>();
    const stop = () => turn.resolve();
    signal.addEventListener("abort", stop, { once: true });
    this.#line.idle(this, full);
    await turn.promise;
    signal.removeEventListener("abort", stop);
    this.#line.unpark(this);
  }

  /** It is this one's turn. */
  come(): void {
    this.#called = true;
    this.#turn?.resolve();
  }

  /** A pull gave something, and left more or not. */
  found({ more }: { more: boolean }): void {
    this.#called = false;
    if (more) this.#line.call(2);
  }

  /** Redis was lost: everybody is to look now, and be told, rather than one after the other. */
  lost(): void {
    this.#line.callAll();
  }

  /** Gives the place back; where it was called and found nothing, another comes in its stead. */
  leave(): void {
    this.#line.unpark(this);
    if (this.#called) this.#line.call(1);
    this.#line.leave();
  }
}
