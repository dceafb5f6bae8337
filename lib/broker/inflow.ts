import { advanceId, compareIds, type Id, ZERO } from "../codec/id.ts";
import type { TopicEntry } from "../redis/entry.ts";
import type { StoredMessage } from "../codec/message.ts";
import type { Frame, Probe } from "../redis/frame.ts";
import { Batch } from "./batch.ts";
import { batchOf } from "./page.ts";
import type { LiveBatch } from "./ring.ts";
import { nextTurn } from "./wait.ts";

/** What an {@link Inflow} needs and tells. */
export interface InflowOptions {
  /** Reads the messages of a frame that carries ids only. */
  readonly fetch: (frame: Frame) => Promise<readonly TopicEntry[]>;
  /** Whether anybody listens to a topic; where nobody does, a frame's messages are not fetched. */
  readonly wants: (topic: string) => boolean;
  /** Gives on a batch; returns how many readers got it. */
  readonly onBatch: (live: LiveBatch) => number;
  /** A frame that nobody listens to was left out. */
  readonly onSkip: (last: Id) => void;
  readonly onProbe: (probe: Probe) => void;
  /** The order cannot be kept: start again. */
  readonly onBreak: (why: string, error?: unknown) => void;
}

/** Deliveries to so many readers are followed by a rest. */
const MANY = 100;
/** The longest rest, in milliseconds. */
const REST_MOST_MS = 15;

/** Frames that may wait while the messages of a large one are fetched, or during a rest. */
const QUEUE_FRAMES = 1_000;

/**
 * Frames and probes in the order in which they came, each frame once. Frames of one topic that came in one turn go on as
 * one batch, so that a thousand subscribers are written to once; after deliveries to many there is a rest, in which
 * whoever publishes has a turn and what comes is gathered. Frames without messages get theirs from the stream, and what
 * came after them waits.
 */
export class Inflow {
  readonly #options: InflowOptions;
  #queue: (Frame | Probe)[] = [];
  #draining = false;
  #epoch = 0;
  #applied: Id = ZERO;

  constructor(options: InflowOptions) {
    this.#options = options;
  }

  /** Takes what came next. */
  push(next: Frame | Probe): void {
    this.#queue.push(next);
    if (this.#queue.length > QUEUE_FRAMES) return this.#options.onBreak("too many frames wait");
    if (this.#draining) return;
    this.#draining = true;
    queueMicrotask(() => this.#drain());
  }

  /** Forgets everything that waits. */
  reset(): void {
    this.#epoch++;
    this.#queue = [];
    this.#applied = ZERO;
  }

  async #drain(): Promise<void> {
    /** When the first delivery to many began since the last rest, in `performance.now()` milliseconds. */
    let begin: number | undefined;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const epoch = this.#epoch;
      try {
        if (next.kind === "probe") {
          this.#queue.shift();
          this.#options.onProbe(next);
        } else if (next.messages === undefined) {
          this.#queue.shift();
          await this.#applyLarge(next, epoch);
        } else {
          const start = performance.now();
          if (this.#applyRun(next.topic) >= MANY) begin ??= start;
        }
        // when nothing waits: frames of many topics, each with many readers, have one rest together
        if (begin !== undefined && this.#queue.length === 0) {
          await rest(begin);
          begin = undefined;
        }
      } catch (error) {
        if (epoch === this.#epoch) {
          this.#options.onBreak("a frame's messages are out of reach", error);
        }
      }
    }
    this.#draining = false;
  }

  /** Applies the frames of a topic at the head of the queue as one batch; returns how many readers got it. */
  #applyRun(topic: string): number {
    const ids: Id[] = [];
    const messages: StoredMessage[] = [];
    let taken = 0;
    for (const frame of this.#queue) {
      if (frame.kind === "probe" || frame.topic !== topic || frame.messages === undefined) break;
      taken++;
      if (compareIds(frame.last, this.#applied) <= 0) continue;
      for (const [i, message] of frame.messages.entries()) {
        ids.push(advanceId(frame.first, i));
        messages.push(message);
      }
      this.#applied = frame.last;
    }
    this.#queue.splice(0, taken);
    if (ids.length === 0) return 0;
    return this.#options.onBatch({ topic, last: this.#applied, batch: new Batch(ids, messages) });
  }

  async #applyLarge(frame: Frame, epoch: number): Promise<void> {
    const { topic, last, count } = frame;
    if (compareIds(last, this.#applied) <= 0) return;
    if (!this.#options.wants(topic)) {
      this.#applied = last;
      return this.#options.onSkip(last);
    }
    const entries = await this.#options.fetch(frame);
    if (epoch !== this.#epoch) return;
    if (entries.length < count) {
      return this.#options.onBreak("a frame was trimmed before it was read");
    }
    this.#applied = last;
    this.#options.onBatch({ topic, last, batch: batchOf(entries) });
  }
}

/** Waits until the sockets were written to, and then for as long as all of it took since `begin`. */
async function rest(begin: number): Promise<void> {
  // this turn takes the bytes to the runtime, which writes them to the sockets in the next
  await nextTurn();
  await nextTurn();
  const ms = Math.min(performance.now() - begin, REST_MOST_MS);
  await new Promise((resolve) => setTimeout(resolve, ms));
}
