const SECOND_MS = 1_000;

/** What an answer tells of the time. */
export interface ClockSample {
  /** When the request was sent, by the browser's clock, in milliseconds since 1970. */
  readonly sent: number;
  /** When the answer was there, by the browser's clock. */
  readonly received: number;
  /** What its `Date` header says: a whole second of the server's clock. */
  readonly date: number;
}

/**
 * The server's time as far as its answers tell: the browser's own clock may be an hour off. Each answer says between
 * which bounds the difference is, and many of them say it better than a second does.
 */
export class ServerClock {
  #low = -Infinity;
  #high = Infinity;

  /** Milliseconds that the server's clock is ahead; 0 for as long as that may be. */
  get ahead(): number {
    if (this.#low <= 0 && 0 <= this.#high) return 0;
    return (this.#low + this.#high) / 2;
  }

  /** The server's time, in milliseconds since 1970. */
  now(): number {
    return Date.now() + this.ahead;
  }

  /** Takes what an answer tells. */
  hear({ sent, received, date }: ClockSample): void {
    const [low, high] = [date - received, date + SECOND_MS - sent];
    this.#low = Math.max(this.#low, low);
    this.#high = Math.min(this.#high, high);
    // one of the clocks was set meanwhile: what was known before is of no use
    if (this.#low > this.#high) [this.#low, this.#high] = [low, high];
  }
}
