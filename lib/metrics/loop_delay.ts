import { Histogram } from "./histogram.ts";

/** Between looks, in milliseconds. */
const EVERY_MS = 50;
/** After so many milliseconds without a question nobody looks any more. */
const IDLE_MS = 120_000;

/**
 * How much later than it should a timer fires, which is how long whatever else there is has to wait. It is measured from
 * the first question on, for as long as somebody asks.
 */
export class LoopDelay implements Disposable {
  readonly #seen = new Histogram();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #askedAt = 0;
  #closed = false;

  /** What was seen so far. */
  ask(): Histogram {
    this.#askedAt = performance.now();
    if (this.#timer === undefined && !this.#closed) this.#look();
    return this.#seen;
  }

  /** Stops for good. */
  [Symbol.dispose](): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    const due = performance.now() + EVERY_MS;
    this.#timer = setTimeout(() => {
      const now = performance.now();
      this.#seen.observe(Math.max(now - due, 0));
      this.#timer = undefined;
      if (now - this.#askedAt < IDLE_MS) this.#look();
    }, EVERY_MS);
  }
}
