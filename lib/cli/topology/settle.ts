import { setTimeout as pause } from "node:timers/promises";

const SETTLE_MS = 30_000;

/**
 * Looks again and again until the condition holds.
 *
 * @throws {Error} when it does not hold after half a minute
 */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + SETTLE_MS;
  while (!await condition().catch(() => false)) {
    if (performance.now() > end) throw new Error("The servers did not find together in time");
    await pause(50);
  }
}
