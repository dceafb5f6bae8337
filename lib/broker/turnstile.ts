import { RunnelError } from "../errors.ts";
import { shuttingDown } from "./closed.ts";
import { nextTurn, OVER, pause } from "./wait.ts";

/** Whoever wants something opened. */
export interface Comer {
  /** Aborts when it has left. Read only where it has to wait: a request makes it at its first reading. */
  readonly signal: AbortSignal;
}

/** Options of {@link Turnstile}. */
export interface TurnstileOptions {
  /** How much the process has done beside, so far; where that grows, room is left for it. */
  readonly others: () => number;
  /** How many are let in together. @default 128 */
  readonly lot?: number;
  /** Most that may wait. @default 20000 */
  readonly queue?: number;
}

/** How long a lot waits for those of it that are not open yet, in milliseconds: their Redis may be away. */
const LOT_MS = 100;
/** For how many times as long as a lot took, the process is left to others; at the most in milliseconds. */
const ROOM_FACTOR = 5;
const ROOM_MS = 200;

/**
 * What openings pass, so that thousands that come at once do not stop everything else: they are let in by lots, in order,
 * and between two lots the process is others', where there are any. Where few come nobody waits.
 *
 * What is slow to open holds up the next lot for a moment, and no longer.
 */
export class Turnstile implements AsyncDisposable {
  readonly #options: Required<TurnstileOptions>;
  readonly #over = new AbortController();
  readonly #waiting = new Set<PromiseWithResolvers<Lot>>();
  #lot: Lot | undefined;
  #work: Promise<void> | undefined;

  constructor(options: TurnstileOptions) {
    this.#options = { lot: 128, queue: 20_000, ...options };
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Opens something as soon as it is its turn.
   *
   * @throws what opening throws; the reason of the comer's signal; `overloaded` where too many wait, or `shutting_down`
   */
  async pass<T>(open: () => Promise<T>, comer?: Comer): Promise<T> {
    if (this.#over.signal.aborted) throw shuttingDown();
    this.#work ??= this.#letIn();
    const lot = this.#lot?.hasRoom === true ? this.#lot.enter() : await this.#turn(comer?.signal);
    try {
      return await open();
    } finally {
      lot.leave();
    }
  }

  /** Lets nobody in any more; those who wait are told. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort(OVER);
    for (const { reject } of this.#waiting) reject(shuttingDown());
    this.#waiting.clear();
    this.#lot?.close();
    await this.#work;
  }

  async #turn(signal: AbortSignal | undefined): Promise<Lot> {
    signal?.throwIfAborted();
    if (this.#waiting.size >= this.#options.queue) {
      throw new RunnelError("overloaded", "Too many subscriptions wait to be opened");
    }
    const turn = Promise.withResolvers<Lot>();
    const leave = () => {
      if (this.#waiting.delete(turn)) turn.reject(signal?.reason);
    };
    this.#waiting.add(turn);
    signal?.addEventListener("abort", leave, { once: true });
    try {
      return await turn.promise;
    } finally {
      signal?.removeEventListener("abort", leave);
    }
  }

  async #letIn(): Promise<void> {
    const { others } = this.#options;
    do {
      const lot = this.#lot = this.#nextLot();
      const [begin, before] = [performance.now(), others()];
      // what came in this turn is in it
      await nextTurn();
      await lot.opened(LOT_MS);
      // what was opened is given what it missed
      await nextTurn();
      const took = performance.now() - begin;
      if (others() > before) {
        await pause(Math.min(took * ROOM_FACTOR, ROOM_MS), this.#over.signal);
      }
    } while (this.#waiting.size > 0);
    this.#lot = undefined;
    this.#work = undefined;
  }

  #nextLot(): Lot {
    const lot = new Lot(this.#options.lot);
    for (const turn of this.#waiting) {
      if (!lot.hasRoom) break;
      this.#waiting.delete(turn);
      turn.resolve(lot.enter());
    }
    return lot;
  }
}

/** Openings that were let in together. */
class Lot {
  readonly #opened = Promise.withResolvers<void>();
  #room: number;
  #opening = 0;

  constructor(room: number) {
    this.#room = room;
  }

  get hasRoom(): boolean {
    return this.#room > 0;
  }

  enter(): this {
    this.#room--;
    this.#opening++;
    return this;
  }

  leave(): void {
    if (--this.#opening === 0) this.#opened.resolve();
  }

  /** Nobody waits for it any more. */
  close(): void {
    this.#opened.resolve();
  }

  /** Resolves when none of them is being opened, or it has been waited for so many milliseconds. */
  async opened(ms: number): Promise<void> {
    if (this.#opening === 0) return;
    const timer = setTimeout(() => this.close(), ms);
    await this.#opened.promise;
    clearTimeout(timer);
  }
}
