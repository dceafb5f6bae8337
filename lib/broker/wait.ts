import { setImmediate } from "node:timers";

/**
 * The reason of waits that end because whatever waited is over. `abort()` without a reason makes an error with a stack
 * each time, which costs more than all else that ends a stream.
 */
export const OVER: Error = new Error("Whatever waited is over");

/** Resolves after `ms` milliseconds, or at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** Options of {@link repeat}. */
export interface RepeatOptions {
  readonly signal: AbortSignal;
  /** Told of each failure, and of how many came just before. */
  readonly onFailure: (error: unknown, before: number) => void;
}

/** Takes a step again and again until the signal aborts; after failures it pauses, longer after each. */
export async function repeat(
  step: () => Promise<void>,
  { signal, onFailure }: RepeatOptions,
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await step();
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      onFailure(error, failures);
      await pause(Math.min(100 * 2 ** failures++, 1_000) * (0.5 + Math.random()), signal);
    }
  }
}

/**
 * Waits for a promise for no longer than a signal allows.
 *
 * @throws what the promise rejects with, or the signal's reason
 */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  if (signal.aborted) {
    // nobody waits for it any more, and a rejection that nobody sees ends the process
    promise.catch(() => {});
    return Promise.reject(signal.reason);
  }
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/**
 * Does work that may take so many milliseconds; its signal aborts with what `late` makes then.
 *
 * @throws what the work throws
 */
export async function within<T>(
  ms: number,
  late: () => Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(late()), ms);
  try {
    return await work(timeout.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves when the event loop has done what it could do now, such as reading what is in the sockets. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/**
 * Resolves when clients that were answered in this turn, and so get it by the socket in the next, may have asked again.
 * Those who asked while a call was under way are gathered too.
 */
export async function turnOfClients(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
