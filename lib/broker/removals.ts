import { pause } from "./wait.ts";

/** Ids removed in one call. */
const STEP = 1_000;
const TRIES = 10;
const PAUSE_MS = 200;

/**
 * Things in Redis that nobody needs any more. They are removed at once, many in a call; what cannot be removed, because
 * Redis is away, is left to expire by itself.
 */
export class Removals implements AsyncDisposable {
  readonly #remove: (ids: readonly string[]) => Promise<void>;
  readonly #stop = new AbortController();
  #ids: string[] = [];
  #running: Promise<void> | undefined;

  constructor(remove: (ids: readonly string[]) => Promise<void>) {
    this.#remove = remove;
  }

  /** Adds an id to be removed. */
  add(id: string): void {
    this.#ids.push(id);
    this.#running ??= this.#run();
  }

  /** Tries once more to remove what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    // whoever ends in this turn joins the first call
    await Promise.resolve();
    for (let failures = 0; this.#ids.length > 0;) {
      const ids = this.#ids.splice(0, STEP);
      try {
        await this.#remove(ids);
        failures = 0;
      } catch {
        if (++failures >= TRIES || this.#stop.signal.aborted) {
          this.#ids = [];
          break;
        }
        this.#ids.push(...ids);
        await pause(PAUSE_MS, this.#stop.signal);
      }
    }
    this.#running = undefined;
  }
}
