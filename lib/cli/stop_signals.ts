const SIGNALS: readonly Deno.Signal[] = ["SIGINT", "SIGTERM", "SIGHUP"];

// One Ctrl-C can arrive twice: from the terminal, and passed on by `deno task` or npx.
const SAME_MS = 300;

/** SIGINT, SIGTERM and SIGHUP of this process, trapped until disposed: the first asks, a second one insists. */
export class StopSignals implements Disposable {
  readonly #asked = new AbortController();
  readonly #insist: () => void;
  #askedAt = 0;

  constructor(
    /** Called when a second signal comes. */
    insist: () => void,
  ) {
    this.#insist = insist;
    for (const name of SIGNALS) Deno.addSignalListener(name, this.#receive);
  }

  /** Aborts at the first signal. */
  get signal(): AbortSignal {
    return this.#asked.signal;
  }

  /** Resolves at the first signal. */
  get asked(): Promise<void> {
    return new Promise((resolve) => {
      if (this.signal.aborted) return resolve();
      this.signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }

  /** Gives the signals back. */
  [Symbol.dispose](): void {
    for (const name of SIGNALS) Deno.removeSignalListener(name, this.#receive);
  }

  readonly #receive = () => {
    if (!this.signal.aborted) {
      this.#askedAt = performance.now();
      this.#asked.abort(new DOMException("Stopped by a signal", "AbortError"));
    } else if (performance.now() - this.#askedAt > SAME_MS) {
      this.#insist();
    }
  };
}
