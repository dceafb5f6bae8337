/** Turns of readers, so that many of them cost little. */

/** Readers take their turns one millisecond after the other, so that none of them holds up the rest for long. */
const SLOTS = 50;

/**
 * Lets each reader read once in 50 ms: what comes meanwhile waits in its socket and is read at once. Only for what counts,
 * not for what times messages.
 */
export class ReadingTurns implements Disposable {
  readonly #waiting = Array.from({ length: SLOTS }, (): (() => void)[] => []);
  readonly #timer: ReturnType<typeof setInterval>;
  #slot = 0;
  #ended = false;
  #readers = 0;

  constructor() {
    this.#timer = setInterval(() => this.#pass(), 1);
  }

  /** A reader's place among the turns: what it calls and awaits before each read. */
  seat(): () => Promise<void> {
    const slot = this.#waiting[this.#readers++ % SLOTS]!;
    return () => this.#ended ? Promise.resolve() : new Promise((resolve) => slot.push(resolve));
  }

  #pass(): void {
    this.#slot = (this.#slot + 1) % SLOTS;
    for (const resolve of this.#waiting[this.#slot]!.splice(0)) resolve();
  }

  /** Ends the turns; whoever waits reads now, and whoever comes later does not wait. */
  [Symbol.dispose](): void {
    this.#ended = true;
    clearInterval(this.#timer);
    for (const slot of this.#waiting) for (const resolve of slot.splice(0)) resolve();
  }
}
