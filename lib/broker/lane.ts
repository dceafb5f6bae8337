import { RunnelError } from "../errors.ts";
import { RedisFailure, toRedisFailure } from "../redis/failure.ts";
import type { Stamp } from "../redis/stamp.ts";
import { abortable, pause } from "./wait.ts";

const RESEND_MS = 25;

/** Options of {@link WriteLane}. */
export interface WriteLaneOptions {
  /** Drops the link, so that a call that got no answer cannot be taken for the next. */
  readonly reset: () => void;
  /** What to tell whoever must do again what may have been done. */
  readonly unknown: string;
}

/**
 * A sequence of calls that change Redis, one in flight, each numbered, so that one whose reply was lost can be sent
 * again and is still done once. Whoever has a lane sees to it that there is one call at a time.
 */
export class WriteLane {
  readonly #options: WriteLaneOptions;
  readonly #id = crypto.randomUUID();
  #number = 0;

  constructor(options: WriteLaneOptions) {
    this.#options = options;
  }

  /**
   * Makes a call, again and with the same number where its reply was lost, until it is known what became of it.
   *
   * @param options.deadline when the answer must be there, in `performance.now()` milliseconds
   * @throws RunnelError why it was not done, or `outcome_unknown`
   */
  async send<T>(
    call: (stamp: Stamp) => Promise<T>,
    { deadline }: { deadline: number },
  ): Promise<T> {
    const stamp = { lane: this.#id, number: ++this.#number };
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), Math.max(1, deadline - performance.now()));
    try {
      return await this.#sendUntil(() => call(stamp), late.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async #sendUntil<T>(call: () => Promise<T>, left: AbortSignal): Promise<T> {
    let maybeDone = false;
    for (;;) {
      try {
        return await abortable(call(), left);
      } catch (error) {
        if (left.aborted && !(error instanceof RedisFailure)) {
          this.#options.reset();
          throw this.#outcomeUnknown(error);
        }
        const failure = toRedisFailure(error, true);
        if (failure.outcome === "unknown") maybeDone = true;
        else if (!maybeDone) throw failure;
        if (left.aborted || (failure.outcome === "refused" && !failure.retryable)) {
          throw this.#outcomeUnknown(failure);
        }
        await pause(RESEND_MS, left);
        if (left.aborted) throw this.#outcomeUnknown(failure);
      }
    }
  }

  #outcomeUnknown(cause: unknown): RunnelError {
    return new RunnelError("outcome_unknown", this.#options.unknown, { cause });
  }
}
