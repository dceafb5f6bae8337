import { RunnelError } from "../errors.ts";
import { pause } from "./wait.ts";

/** How long a call looks for partitions that were split, in milliseconds. */
const PATIENCE_MS = 1_500;
const PAUSE_MS = 20;

/**
 * Makes a call, and again where it was refused because its partition was split: it must find its partitions anew each
 * time. Whatever was refused so was not done.
 *
 * @throws what the call throws otherwise
 */
export async function rerouting<T>(call: () => Promise<T>): Promise<T> {
  let end = 0;
  for (;;) {
    const begin = performance.now();
    try {
      return await call();
    } catch (error) {
      const isSplit = error instanceof RunnelError && error.code === "partition_split";
      if (!isSplit) throw error;
      // one that waited for long was where it should be until now
      if (end === 0 || performance.now() - begin > PATIENCE_MS) {
        end = performance.now() + PATIENCE_MS;
      }
      if (performance.now() > end) throw error;
      await pause(PAUSE_MS, new AbortController().signal);
    }
  }
}
