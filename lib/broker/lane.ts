import type { Stamp } from "../redis/stamp.ts";
import { sendUntilKnown } from "./resend.ts";

/** Options of {@link WriteLane}. */
export interface WriteLaneOptions {
  /** Drops the link, so that a call that got no answer cannot be taken for the next. */
  readonly reset: () => void;
  /** What to tell whoever must do again what may have been done. */
  readonly unknown: string;
  /** A call is made again. */
  readonly onRetry?: () => void;
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
    const { reset: onLate, ...how } = this.#options;
    return await sendUntilKnown(() => call(stamp), { ...how, deadline, onLate });
  }
}
