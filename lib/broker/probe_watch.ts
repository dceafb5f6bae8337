/** Options of {@link ProbeWatch}, in milliseconds. */
export interface ProbeWatchOptions {
  /** Between probes. */
  readonly everyMs: number;
  /** How long a silent link may take to bring one back. */
  readonly timeoutMs: number;
}

/** How long a probe may take on a link that carries frames meanwhile. */
const BUSY_MS = 10_000;

/**
 * When to send the next probe, and whether the link still brings them back. A link that carries frames is not dead but
 * busy: its probe may take longer.
 */
export class ProbeWatch {
  readonly #options: ProbeWatchOptions;
  #number = 0;
  #received = 0;
  #sentAt = 0;
  #heardAt = -Infinity;
  #receivedAt = -Infinity;
  #isDemanded = false;
  #answered = true;

  constructor(options: ProbeWatchOptions) {
    this.#options = options;
  }

  /** The number of the next probe, where one is due. */
  next(): number | undefined {
    const { everyMs } = this.#options;
    // processes that began together must not probe together for ever
    const due = everyMs * (0.75 + Math.random() / 4);
    if (!this.#answered) return undefined;
    if (!this.#isDemanded && performance.now() - this.#sentAt < due) return undefined;
    this.#isDemanded = false;
    return ++this.#number;
  }

  /** Makes the next probe due now, unless one is owed. */
  demand(): void {
    if (this.#answered) this.#isDemanded = true;
  }

  /** The probe asked for last was sent; it may have come back already. */
  sent(): void {
    this.#sentAt = performance.now();
    this.#answered = this.#received >= this.#number;
  }

  /** Something came on the link. */
  heard(): void {
    this.#heardAt = performance.now();
  }

  /** A probe came back. */
  received(number: number): void {
    this.#received = Math.max(this.#received, number);
    this.#receivedAt = performance.now();
    if (number === this.#number) this.#answered = true;
  }

  /** There is a new link, which owes nothing. */
  restart(): void {
    this.#received = this.#number;
    this.#sentAt = 0;
    this.#answered = true;
  }

  /** Milliseconds until there is something to do or to find out. */
  get waitMs(): number {
    const { everyMs, timeoutMs } = this.#options;
    const waited = performance.now() - this.#sentAt;
    return Math.max((this.#answered ? everyMs : timeoutMs) - waited, 5);
  }

  /** Whether a probe came back within the last so many milliseconds. */
  provedWithin(ms: number): boolean {
    return performance.now() - this.#receivedAt < ms;
  }

  /** Whether anything came on the link within the last so many milliseconds. */
  heardWithin(ms: number): boolean {
    return performance.now() - this.#heardAt < ms;
  }

  /** Whether the link is dead: a probe is owed, and nothing has come for too long. */
  get isDead(): boolean {
    if (this.#answered) return false;
    const now = performance.now();
    return now - Math.max(this.#heardAt, this.#sentAt) >= this.#options.timeoutMs ||
      now - this.#sentAt >= BUSY_MS;
  }
}
