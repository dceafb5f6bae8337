/** Waiting in tests: for a condition or a promise, never for a span of time. The only place that sleeps. */
import { AssertionError } from "node:assert/strict";

/** Options of {@link until}. */
export interface UntilOptions {
  /** Gives up after this many milliseconds. @default 10000 */
  readonly timeoutMs?: number;
  /** Milliseconds between two looks. @default 10 */
  readonly everyMs?: number;
  /** What is waited for, said when it does not come. @default "the condition" */
  readonly what?: string;
}

/**
 * Looks until the condition gives something truthy, and returns that.
 *
 * @throws {AssertionError} when the deadline passes; it carries the last error that the condition threw.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  { timeoutMs = 10_000, everyMs = 10, what = "the condition" }: UntilOptions = {},
): Promise<Exclude<T, false | 0 | "" | null | undefined>> {
  const end = performance.now() + timeoutMs;
  let lastError: unknown;
  while (true) {
    try {
      const value = await condition();
      // Truthiness is what the type excludes; TypeScript cannot see that by itself.
      if (value) return value as Exclude<T, false | 0 | "" | null | undefined>;
      lastError = undefined;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() >= end) break;
    await sleep(everyMs);
  }
  const reason = lastError === undefined ? "" : `: ${lastError}`;
  throw new AssertionError({ message: `Waited ${timeoutMs} ms in vain for ${what}${reason}` });
}

/**
 * The promise's value, or a failure that says what did not come within `ms` milliseconds.
 *
 * @throws {AssertionError} when the deadline passes first.
 */
export async function deadline<T>(promise: Promise<T>, ms: number, what = "a promise"): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new AssertionError({ message: `Waited ${ms} ms in vain for ${what}` })),
      ms,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `ms` milliseconds. For the support parts and for load that must last a while, not for waiting. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
