/** Whatever has to say from time to time that it lives. */
export interface Beating {
  beat(): void;
}

const SLOTS = 16;

/**
 * Beats for all subscriptions of a process from one timer. They are spread over the interval, so that ten thousand
 * streams are not all written to in one turn.
 */
export class Heartbeats implements Disposable {
  readonly #slots: Set<Beating>[] = Array.from({ length: SLOTS }, () => new Set());
  readonly #intervalMs: number;
  #timer: ReturnType<typeof setInterval> | undefined;
  #now = 0;
  #size = 0;

  constructor(options: { intervalMs: number }) {
    this.#intervalMs = options.intervalMs;
  }

  /** Beats for one, within an interval from now for the first time, until the returned function is called. */
  add(beating: Beating): () => void {
    const slot = this.#emptiest();
    slot.add(beating);
    this.#size++;
    this.#timer ??= setInterval(() => this.#tick(), Math.max(this.#intervalMs / SLOTS, 1));
    return () => {
      if (slot.delete(beating) && --this.#size === 0) this[Symbol.dispose]();
    };
  }

  /** Stops the timer. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  // thousands come back in one moment after a restart, and must not be written to in one moment ever after
  #emptiest(): Set<Beating> {
    return this.#slots.reduce((least, slot) => slot.size < least.size ? slot : least);
  }

  #tick(): void {
    this.#now = (this.#now + 1) % SLOTS;
    for (const beating of this.#slots[this.#now] ?? []) beating.beat();
  }
}
