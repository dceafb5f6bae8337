/** Whatever has to say from time to time that it lives. */
export interface Beating {
  beat(): void;
}

/** Parts of an interval at most: of ten thousand streams ten are written to in one turn. */
const MOST_SLOTS = 1_000;
/** How long a part is at least, in milliseconds. */
const SHORTEST_MS = 10;

/**
 * Beats for all subscriptions of a process from one timer. They are spread over the slots of an interval, so that ten
 * thousand streams are not all written to in one turn; the timer waits for the next slot that holds anybody, so that a
 * few wake the process no more often than they must.
 *
 * A tick is one slot's time, counted since the process started.
 */
export class Heartbeats implements Disposable {
  readonly #slots: readonly Set<Beating>[];
  readonly #slotMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #size = 0;
  /** The tick that the timer waits for. */
  #next = Infinity;

  constructor({ intervalMs }: { intervalMs: number }) {
    const slots = Math.min(Math.max(Math.floor(intervalMs / SHORTEST_MS), 1), MOST_SLOTS);
    this.#slots = Array.from({ length: slots }, () => new Set());
    this.#slotMs = intervalMs / slots;
  }

  /** Beats for one, for the first time an interval from now or, where many came with it, earlier, until the returned function is called. */
  add(beating: Beating): () => void {
    const tick = this.#roomiest();
    const slot = this.#slotAt(tick);
    slot.add(beating);
    this.#size++;
    if (tick < this.#next) this.#wait(tick);
    return () => {
      if (slot.delete(beating) && --this.#size === 0) this[Symbol.dispose]();
    };
  }

  /** Stops the timer. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#next = Infinity;
  }

  get #now(): number {
    return Math.floor(performance.now() / this.#slotMs);
  }

  #slotAt(tick: number): Set<Beating> {
    const slot = this.#slots[tick % this.#slots.length];
    if (slot === undefined) throw new RangeError(`Cannot beat at tick ${tick}`);
    return slot;
  }

  // the latest that has room: thousands come back in one moment after a restart, and must not be written to in one
  // moment ever after
  #roomiest(): number {
    const mean = Math.floor(this.#size / this.#slots.length);
    let tick = this.#now + this.#slots.length;
    while (this.#slotAt(tick).size > mean) tick--;
    return tick;
  }

  #wait(tick: number): void {
    clearTimeout(this.#timer);
    this.#next = tick;
    const ms = tick * this.#slotMs - performance.now();
    this.#timer = setTimeout(() => this.#beat(), Math.max(Math.ceil(ms), 0));
  }

  #beat(): void {
    const now = this.#now;
    // once is enough for whoever waited longer than an interval, as when the process was stopped
    const first = Math.max(this.#next, now - this.#slots.length + 1);
    this.#waitAfter(now);
    for (let tick = first; tick <= now; tick++) {
      for (const beating of this.#slotAt(tick)) beating.beat();
    }
  }

  #waitAfter(now: number): void {
    for (let tick = now + 1; tick <= now + this.#slots.length; tick++) {
      if (this.#slotAt(tick).size > 0) return this.#wait(tick);
    }
    this.#next = Infinity;
  }
}
