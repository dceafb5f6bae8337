/** One promise that is waited for, and until when. */
interface Waiting {
  readonly until: number;
  /** Tells whoever waits that it took too long. */
  readonly giveUp: () => void;
}

/**
 * Waits for promises, each for a limited time. All that wait share one timer, which costs a busy server less than one
 * for each request would.
 */
export class Patience {
  readonly #waiting = new Set<Waiting>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #due = Infinity;

  /**
   * What `promise` resolves to.
   *
   * @throws what `late` makes, where `ms` milliseconds were not enough, and what `promise` rejects with.
   */
  within<T>(promise: Promise<T>, { ms, late }: { ms: number; late: () => Error }): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = { until: performance.now() + ms, giveUp: () => reject(late()) };
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
    if (waiting.until < this.#due) this.#wakeAt(waiting.until);
  }

  #remove(waiting: Waiting): void {
    this.#waiting.delete(waiting);
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
