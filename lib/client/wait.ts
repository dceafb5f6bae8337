/** Calls back when the signal aborts, at once if it has; until the returned function is called. */
export function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  if (signal?.aborted) listener();
  else signal?.addEventListener("abort", listener);
  return () => signal?.removeEventListener("abort", listener);
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => onAbort(signal, resolve));
}

/** Resolves after so many milliseconds, or as soon as the signal aborts. Never rejects. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      forget();
      resolve();
    }, ms);
    const forget = onAbort(signal, () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** How long to wait after so many failures (from 1), in milliseconds: twice as long each time, and differing for each. */
export function backoff(failures: number, firstMs = 100, mostMs = 5_000): number {
  return Math.min(mostMs, firstMs * 2 ** (failures - 1)) * (0.5 + Math.random() / 2);
}

/** A text that nobody else has; `crypto.randomUUID` is for secure pages only. */
export function unique(): string {
  return crypto.getRandomValues(new Uint32Array(4)).join("-");
}
