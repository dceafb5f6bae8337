/** The account of a queue that is worked off: each numbered message once, and how fast. */
import type { RateResult } from "./plan.ts";

/** Options of {@link Ledger}. */
export interface LedgerOptions {
  /** Messages 0 to count - 1 are to be worked. */
  readonly count: number;
  /** Acknowledgements before the clock starts; below the count. */
  readonly warmUp: number;
  /** Milliseconds on a steady clock. @default performance.now */
  readonly now?: () => number;
}

/** Sees to it that no message is worked twice or left out. */
export class Ledger {
  readonly #seen: Uint8Array;
  readonly #warmUp: number;
  readonly #now: () => number;
  readonly #finished = Promise.withResolvers<void>();
  #left: number;
  #acknowledged = 0;
  #first: { readonly at: number; readonly acknowledged: number } | undefined;
  #end = 0;

  constructor({ count, warmUp, now = () => performance.now() }: LedgerOptions) {
    this.#seen = new Uint8Array(count);
    this.#left = count;
    this.#warmUp = warmUp;
    this.#now = now;
    // Whoever waits for it sees the reason; until then nobody may be waiting.
    this.#finished.promise.catch(() => {});
  }

  /** Resolves when all are acknowledged; rejects when one was handed out twice, or was never put in. */
  get finished(): Promise<void> {
    return this.#finished.promise;
  }

  /** Whether all are acknowledged. */
  get complete(): boolean {
    return this.#end > 0;
  }

  /** A consumer got this message. */
  take(number: number): void {
    if (this.#seen[number] === 0) {
      this.#seen[number] = 1;
      this.#left--;
      return;
    }
    const what = this.#seen[number] === 1 ? "was handed out twice" : "was never put in";
    this.fail(new Error(`Cannot measure: message ${number} ${what}`));
  }

  /** So many more messages are acknowledged. */
  acknowledge(count: number): void {
    const now = this.#now();
    this.#acknowledged += count;
    if (this.#acknowledged >= this.#warmUp) {
      this.#first ??= { at: now, acknowledged: this.#acknowledged };
    }
    if (this.#acknowledged < this.#seen.length) return;
    this.#end = now;
    const wrong = this.#left > 0 || this.#acknowledged > this.#seen.length;
    if (wrong) this.fail(new Error(`Cannot measure: ${this}`));
    else this.#finished.resolve();
  }

  /** Gives up. */
  fail(error: unknown): void {
    this.#finished.reject(error);
  }

  /** What was acknowledged between the warm-up and the end. @throws {Error} before the end. */
  result(): RateResult {
    if (!this.#first || !this.complete) throw new Error(`Cannot measure: ${this}`);
    const count = this.#acknowledged - this.#first.acknowledged;
    return { count, seconds: (this.#end - this.#first.at) / 1000, failures: 0 };
  }

  toString(): string {
    const count = this.#seen.length;
    return `${count - this.#left} of ${count} messages were handed out, ` +
      `${this.#acknowledged} acknowledged`;
  }
}
