import type { RequestContext } from "./context.ts";
import { requireUnended } from "./identity.ts";

/** The part of a request's context that says how long it may wait. */
export type HeldContext = Pick<RequestContext, "identity" | "signal">;

/** How long a request may still wait, in milliseconds: as long as it wants, but no longer than its credential lasts. */
export function leftOf({ identity: { expiresAt = Infinity } }: HeldContext, ms: number): number {
  return Math.floor(Math.max(0, Math.min(ms, expiresAt - Date.now())));
}

/**
 * Waits for something until the client leaves, or its credential ends or is taken back.
 *
 * @throws {RunnelError} `invalid_token` in the latter cases, or what `work` throws when its signal aborts.
 */
export async function whileHeld<T>(
  { identity, signal }: HeldContext,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { revoked } = identity;
  try {
    return await work(revoked === undefined ? signal : AbortSignal.any([signal, revoked]));
  } catch (error) {
    requireUnended(identity);
    throw error;
  }
}
