import { compareIds, type Id, ZERO } from "../codec/id.ts";
import type { Batch } from "./batch.ts";

/** A frame as subscriptions get it. */
export interface LiveBatch {
  readonly topic: string;
  readonly last: Id;
  readonly batch: Batch;
}

/** What a ring holds at the most. */
export interface RingLimits {
  readonly frames: number;
  readonly bytes: number;
}

/**
 * The most recent frames in id order. A subscription that has read up to here from the log takes the rest from the ring
 * and is live, in one step: there is no moment between reading and listening in which a frame could slip through.
 */
export class Ring {
  readonly #limits: RingLimits;
  #frames: LiveBatch[] = [];
  #bytes = 0;
  #floor: Id = ZERO;

  constructor(limits: RingLimits) {
    this.#limits = limits;
  }

  /** Everything received after this id is in the ring. */
  get floor(): Id {
    return this.#floor;
  }

  /** Adds the newest frame. */
  push(frame: LiveBatch): void {
    this.#frames.push(frame);
    this.#bytes += frame.batch.bytes;
    while (this.#frames.length > this.#limits.frames || this.#bytes > this.#limits.bytes) {
      this.#dropOldest(Math.ceil(this.#frames.length / 4));
    }
  }

  // a quarter at a time: one by one would move the whole array for each frame
  #dropOldest(count: number): void {
    for (const { batch, last } of this.#frames.splice(0, count)) {
      this.#bytes -= batch.bytes;
      this.#floor = last;
    }
  }

  /** The frames after an id, in order. */
  after(id: Id): readonly LiveBatch[] {
    let from = this.#frames.length;
    while (from > 0 && compareIds(this.#frames[from - 1]?.last ?? ZERO, id) > 0) from--;
    return this.#frames.slice(from);
  }

  /** Forgets everything up to `floor`. */
  clear(floor: Id): void {
    this.#frames = [];
    this.#bytes = 0;
    this.#floor = floor;
  }
}
