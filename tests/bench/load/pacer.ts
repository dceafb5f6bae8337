/** A fixed rate of sends. */

/**
 * Calls `send(n)` for n = 0, 1, … at the rate, for the given time. Timers fire late and in lumps: what is due by then
 * is sent at once, so that the rate holds whatever the server does. An aborted signal ends it early.
 *
 * @returns how many were sent
 */
export function pace(
  { rate, seconds, signal }: { rate: number; seconds: number; signal?: AbortSignal },
  send: (n: number) => void,
): Promise<number> {
  const total = Math.round(rate * seconds);
  const start = performance.now();
  return new Promise((resolve) => {
    let next = 0;
    const timer = setInterval(() => {
      const due = Math.min(total, Math.floor((performance.now() - start) / 1000 * rate));
      while (next < due) send(next++);
      if (next < total && !signal?.aborted) return;
      clearInterval(timer);
      resolve(next);
    }, 1);
  });
}
