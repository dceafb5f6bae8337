import type { Logger } from "../log.ts";
import type { FireResult } from "../redis/schedule_store.ts";
import type { PartitionStore } from "../redis/store.ts";
import type { Feed } from "./feed.ts";
import type { GroupIndex } from "./group_index.ts";
import { WriteLane } from "./lane.ts";
import { pause, repeat } from "./wait.ts";

/** Options of {@link Scheduler}. */
export interface SchedulerOptions {
  readonly store: Pick<PartitionStore, "schedule" | "position" | "resetLane" | "now">;
  /** Brings word of messages that are due earlier than others. */
  readonly feed: Pick<Feed, "attend">;
  readonly log: Logger;
  /** Shows topics to the pattern groups before something is published to them. */
  readonly index: GroupIndex;
  /** Between looks where no word comes, in milliseconds. @default 3000 */
  readonly lookMs?: number;
}

/** Messages published in one call; more would keep Redis from others for long. */
const MESSAGES_A_CALL = 200;
/** Between calls that leave nothing due: what trickles in is published in small heaps, not one by one. */
const LEAST_PAUSE_MS = 10;
/** How long one call may take. */
const PATIENCE_MS = 1_500;

/**
 * Publishes messages that were kept for later when they are due, whoever took them. Every process does, on Redis's
 * clock: one call publishes and forgets in one step, so that several at once are as good as one.
 */
export class Scheduler implements AsyncDisposable {
  readonly #options: Required<SchedulerOptions>;
  readonly #lane: WriteLane;
  readonly #stop = new AbortController();
  /** When the earliest is due, as far as is known, in milliseconds on Redis's clock. */
  #due = Infinity;
  /** The earliest that was heard of since the last look began. */
  #heard = Infinity;
  #word = Promise.withResolvers<void>();
  #work: Promise<void> | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = { lookMs: 3_000, ...options };
    this.#lane = new WriteLane({
      reset: () => options.store.resetLane(),
      unknown: "Redis was lost before it said which messages it published",
    });
  }

  /** Begins to look for what is due; calls after the first do nothing. */
  start(): void {
    this.#work ??= this.#run();
  }

  /** Says that a message is due at a time, in milliseconds since 1970 on Redis's clock. */
  expect(dueMs: number): void {
    this.#heard = Math.min(this.#heard, dueMs);
    if (dueMs < this.#due) this.#word.resolve();
  }

  /** Stops; resolves when nothing is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { feed, log } = this.#options;
    const { signal } = this.#stop;
    // what was due earlier may have been announced while there was no link
    const leave = feed.attend({
      onLater: (dueMs) => this.expect(dueMs),
      onOnline: () => this.expect(0),
    });
    await repeat(() => this.#turn(), {
      signal,
      onFailure: (error) => log.debug("scheduled messages cannot be published", { error }),
    });
    leave();
  }

  async #turn(): Promise<void> {
    const { store } = this.#options;
    const isDue = this.#due <= store.now;
    this.#word = Promise.withResolvers();
    this.#heard = Infinity;
    const { next, more } = isDue
      ? await this.#fire()
      : { next: await store.schedule.head(), more: false };
    this.#due = more ? 0 : Math.min(next ?? Infinity, this.#heard);
    if (more) return;
    // where Redis left something that we take for due, its clock is not what we thought
    if (isDue && this.#due <= store.now) await store.position();
    await this.#rest();
  }

  #fire(): Promise<FireResult> {
    const { store, index } = this.#options;
    return this.#lane.send(
      (stamp) => index.adopting(() => store.schedule.fire({ ...stamp, count: MESSAGES_A_CALL })),
      { deadline: performance.now() + PATIENCE_MS },
    );
  }

  async #rest(): Promise<void> {
    const { store, lookMs } = this.#options;
    const { signal } = this.#stop;
    await pause(LEAST_PAUSE_MS, signal);
    const left = Math.min(this.#due, this.#heard) - store.now;
    if (left <= 0) return;
    const timer = new AbortController();
    await Promise.race([
      this.#word.promise,
      pause(Math.min(left, lookMs), AbortSignal.any([timer.signal, signal])),
    ]);
    timer.abort();
    this.#due = Math.min(this.#due, this.#heard);
  }
}
