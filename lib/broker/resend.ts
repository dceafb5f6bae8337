import { RunnelError } from "../errors.ts";
import { RedisFailure, toRedisFailure } from "../redis/failure.ts";
import { abortable, pause } from "./wait.ts";

/** Options of {@link sendUntilKnown}. */
export interface ResendOptions {
  /** When the answer must be there, in `performance.now()` milliseconds. */
  readonly deadline: number;
  /** What to tell whoever must do again what may have been done. */
  readonly unknown: string;
  /** A call got no answer until the deadline. */
  readonly onLate?: () => void;
  /** The call is made again. */
  readonly onRetry?: () => void;
}

const RESEND_MS = 25;

/**
 * Makes a call that changes Redis, again where its reply was lost, until it is known what became of it. The call must be
 * one that is done once, however often it is sent.
 *
 * @throws RunnelError why it was not done, or `outcome_unknown`
 */
export async function sendUntilKnown<T>(
  call: () => Promise<T>,
  options: ResendOptions,
): Promise<T> {
  const late = new AbortController();
  const left = Math.max(1, options.deadline - performance.now());
  const timer = setTimeout(() => late.abort(), left);
  try {
    return await sendUntil(call, late.signal, options);
  } finally {
    clearTimeout(timer);
  }
}

async function sendUntil<T>(
  call: () => Promise<T>,
  late: AbortSignal,
  { unknown, onLate, onRetry }: ResendOptions,
): Promise<T> {
  const outcomeUnknown = (cause: unknown) => new RunnelError("outcome_unknown", unknown, { cause });
  let maybeDone = false;
  for (;;) {
    try {
      return await abortable(call(), late);
    } catch (error) {
      if (late.aborted && !(error instanceof RedisFailure)) {
        onLate?.();
        throw outcomeUnknown(error);
      }
      const failure = toRedisFailure(error, true);
      if (failure.outcome === "unknown") maybeDone = true;
      else if (!maybeDone) throw failure;
      if (late.aborted || (failure.outcome === "refused" && !failure.retryable)) {
        throw outcomeUnknown(failure);
      }
      await pause(RESEND_MS, late);
      if (late.aborted) throw outcomeUnknown(failure);
      onRetry?.();
    }
  }
}
