import { OVER, pause } from "./wait.ts";

/** Options of {@link SerialTask}. */
export interface SerialTaskOptions {
  /** Does what there is to do; resolves with whether there is more to do at once. */
  readonly step: () => Promise<boolean>;
  /** A step failed; the next one comes after a while, longer each time. */
  readonly onFailure: (error: unknown) => void;
  /** How long to wait for the next step, in milliseconds, unless woken. */
  readonly waitMs: () => number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Steps that never overlap, from the first {@link wake} on until it is disposed. */
export class SerialTask implements AsyncDisposable {
  readonly #options: SerialTaskOptions;
  readonly #stop = new AbortController();
  #woken = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(options: SerialTaskOptions) {
    this.#options = options;
  }

  /** Sees to it that a step begins after this moment. */
  wake(): void {
    this.#woken.resolve();
    this.#running ??= this.#run();
  }

  /** Waits for the step under way; there is no other. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(OVER);
    this.#woken.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let failures = 0; !signal.aborted;) {
      this.#woken = Promise.withResolvers();
      try {
        const more = await this.#options.step();
        failures = 0;
        if (!more) await this.#untilNext(signal);
      } catch (error) {
        if (signal.aborted) break;
        this.#options.onFailure(error);
        const longest = Math.min(FIRST_PAUSE_MS * 2 ** failures++, LONGEST_PAUSE_MS);
        await pause(longest * (0.5 + Math.random()), signal);
      }
    }
  }

  async #untilNext(signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    const over = AbortSignal.any([signal, timer.signal]);
    await Promise.race([this.#woken.promise, pause(this.#options.waitMs(), over)]);
    timer.abort(OVER);
  }
}
