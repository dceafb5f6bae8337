import type { Logger } from "../log.ts";
import { pause } from "./wait.ts";

/** Options of {@link Recheck}. */
export interface RecheckOptions<T> {
  /** Reads in Redis what became of some. */
  readonly check: (some: readonly T[]) => Promise<void>;
  /** Whether anybody still waits for it. */
  readonly isOpen: (one: T) => boolean;
  readonly log: Logger;
}

/** How many are checked in one call. */
const STEP = 50;
const AGAIN_MS = 100;

/** What may have missed something and must be looked up in Redis, a few at a time, until that succeeds. */
export class Recheck<T> implements AsyncDisposable {
  readonly #options: RecheckOptions<T>;
  readonly #unsure = new Set<T>();
  readonly #stop = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: RecheckOptions<T>) {
    this.#options = options;
  }

  /** Adds what is to be looked up. */
  add(some: Iterable<T>): void {
    for (const one of some) this.#unsure.add(one);
    this.#running ??= this.#run();
  }

  /** Forgets one that nobody waits for any more. */
  forget(one: T): void {
    this.#unsure.delete(one);
  }

  /** Waits for the call under way; there is no other. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    // whoever is added in this turn joins the first call
    await Promise.resolve();
    const { check, isOpen, log } = this.#options;
    const { signal } = this.#stop;
    while (this.#unsure.size > 0 && !signal.aborted) {
      const some = [...this.#unsure.values().take(STEP)];
      for (const one of some) this.#unsure.delete(one);
      try {
        await check(some);
      } catch (error) {
        log.debug("could not look up what may have been missed", { error });
        for (const one of some) if (isOpen(one)) this.#unsure.add(one);
        await pause(AGAIN_MS, signal);
      }
    }
    this.#running = undefined;
  }
}
