import { setImmediate } from "node:timers";

/** One promise that is waited for. */
interface Waiting {
  readonly ms: number;
  /** Tells whoever waits that it took too long. */
  readonly giveUp: () => void;
  isOver: boolean;
}

/**
 * Waits for promises, each for a limited time. All that wait share one timer, and what is there before the turn is over,
 * as most is, is never looked at: a timer for each request would cost a busy server more than reading it.
 */
export class Patience {
  /** Those that were not there in the turn in which the waiting began, and until when, in `performance.now()` milliseconds. */
  readonly #waiting = new Map<Waiting, number>();
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
      const waiting = { ms, giveUp: () => reject(late()), isOver: false };
      this.#fresh.push(waiting);
      if (this.#fresh.length === 1) setImmediate(() => this.#begin());
      promise.then((value) => {
        this.#end(waiting);
        resolve(value);
      }, (reason) => {
        this.#end(waiting);
        reject(reason);
      });
    });
  }

  /** The turn is over. */
  #begin(): void {
    const fresh = this.#fresh;
    this.#fresh = [];
    const slow = fresh.filter(({ isOver }) => !isOver);
    if (slow.length === 0) return;
    const now = performance.now();
    let next = this.#due;
    for (const waiting of slow) {
      const until = now + waiting.ms;
      this.#waiting.set(waiting, until);
      next = Math.min(next, until);
    }
    if (next < this.#due) this.#wakeAt(next);
  }

  #end(waiting: Waiting): void {
    waiting.isOver = true;
    if (this.#waiting.size === 0 || !this.#waiting.delete(waiting)) return;
    if (this.#waiting.size === 0) this.#wakeAt(Infinity);
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
    for (const [waiting, until] of this.#waiting) {
      if (until > now) {
        next = Math.min(next, until);
      } else {
        this.#waiting.delete(waiting);
        waiting.giveUp();
      }
    }
    this.#wakeAt(next);
  }
}
