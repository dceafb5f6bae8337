import { type Endpoint, isSameEndpoint, type RedisOptions, sentinelOptionsAt } from "./options.ts";
import { type SentinelView, viewSentinel } from "./sentinel_view.ts";
import { visitRedis } from "./visit.ts";

/** How long the others may take once most Sentinels have answered, in milliseconds. */
const OTHERS_MS = 200;

/**
 * Asks all Sentinels that are configured about the set, until the signal is aborted.
 *
 * @returns what those said that answered in time: soon after most of them, or at the latest within the time for a
 *   connection
 */
export async function pollSentinels(
  options: RedisOptions,
  signal: AbortSignal,
): Promise<SentinelView[]> {
  const { endpoints = [], master = "" } = options.address.sentinel ?? {};
  const enough = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const views: SentinelView[] = [];
  const ask = async (endpoint: Endpoint) => {
    const view = await visitRedis(sentinelOptionsAt(options, endpoint), {
      timeoutMs: options.connectTimeoutMs,
      work: (sentinel) => viewSentinel(sentinel, master),
      signal: AbortSignal.any([signal, enough.signal]),
    });
    views.push(view);
    if (views.length > endpoints.length / 2) timer ??= setTimeout(() => enough.abort(), OTHERS_MS);
  };
  await Promise.allSettled(endpoints.map(ask));
  clearTimeout(timer);
  return views;
}

/**
 * Whether Sentinels stand by a primary that was named under an epoch: none knows a later epoch, and of those that name it,
 * of which there must be one, none replaces it and fewer than their quorum find it down. What another address has in the
 * same epoch says nothing: the Sentinel that leads a failover names the old one until all replicas follow the new one.
 */
export function isConfirmed(
  views: readonly SentinelView[],
  { epoch, primary }: Pick<SentinelView, "epoch" | "primary">,
): boolean {
  if (views.some((view) => view.epoch > epoch)) return false;
  const own = views.filter((view) => view.epoch === epoch && isSameEndpoint(primary, view.primary));
  if (own.some(({ isReplaced }) => isReplaced)) return false;
  const down = own.filter(({ isDown }) => isDown).length;
  return own.some(({ quorum }) => down < quorum);
}
