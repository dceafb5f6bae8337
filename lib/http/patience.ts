import { setImmediate } from "node:timers";

/** One promise that is waited for. */
interface Waiting {
  readonly ms: number;
  /** Until when, in `performance.now()` milliseconds; unknown in the turn in which the waiting begins. */
  until: number;
  /** Tells whoever waits that it took too long. */
  readonly giveUp: () => void;
}

/**
 * Waits for promises, each for a limited time. All that wait share one timer, and there is none for what is there before
 * the turn is over, as most is: a timer for each request would cost a busy server more than reading it.
 */
export class Patience {
  readonly #waiting = new Set<Waiting>();
  #fresh: Waiting[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;

  /**
   * What `promise` resolves to.
   *
   * @throws what `late` makes, where `ms` milliseconds were not enough, and what `promise` rejects with.
   */
  within<T>(promise: Promise<T>, { ms, late }: { ms: number; late: () => Error }): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = { ms, until: Infinity, giveUp: () => reject(late()) };
      this.#add(waiting);
      promise.then((value) => {
        this.#remove(waiting);
        resolve(value);
      }, (reason) => {
        this.#remove(waiting);
        reject(reason);
      });
    });
  }

  #add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.#fresh.push(waiting);
    if (this.#fresh.length === 1) setImmediate(() => this.#begin());
  }

  /** The turn is over. */
  #begin(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    if (this.#waiting.size === 0) return;
    const now = performance.now();
    let next = this.#due;
    for (const waiting of fresh) {
      waiting.until = now + waiting.ms;
      if (this.#waiting.has(waiting)) next = Math.min(next, waiting.until);
    }
    if (next < this.#due) this.#wakeAt(next);
  }

  #remove(waiting: Waiting): void {
    this.#waiting.delete(waiting);
    if (this.#waiting.size === 0 && this.#due < Infinity) this.#wakeAt(Infinity);
  }

  #wakeAt(due: number): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#due = due;
    if (due === Infinity) return;
    this.#timer = setTimeout(() => this.#look(), Math.ceil(due - performance.now()));
  }

  #look(): void {
    const now = performance.now();
    let next = Infinity;
    for (const waiting of this.#waiting) {
      if (waiting.until > now) {
        next = Math.min(next, waiting.until);
      } else {
        this.#waiting.delete(waiting);
        waiting.giveUp();
      }
    }
    this.#wakeAt(next);
  }
}
