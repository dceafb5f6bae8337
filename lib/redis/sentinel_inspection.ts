/** A look at one Sentinel for `doctor`: what it says of the set that Runnel uses. */
import { type Answer, ask } from "./answer.ts";
import { type Endpoint, type RedisOptions, sentinelOptionsAt } from "./options.ts";
import { type SentinelView, viewSentinel } from "./sentinel_view.ts";
import { visitRedis } from "./visit.ts";

/** What one Sentinel says of a set, and of the others. */
export interface SentinelReport extends SentinelView {
  /** Whether as many Sentinels as a failover needs can be reached, in its own words. */
  readonly electorate: Answer<string>;
}

/** Options of {@link inspectSentinel}. */
export interface InspectSentinelOptions {
  /** Gives up after this many milliseconds. @default 3000 */
  readonly timeoutMs?: number;
}

/**
 * Asks a Sentinel about the set that the address names.
 *
 * @returns what it says, or its refusal: it may not know the set, or be no Sentinel
 * @throws {Error} what the client says where it cannot be reached or lets nobody in
 */
export function inspectSentinel(
  options: RedisOptions,
  endpoint: Endpoint,
  { timeoutMs = 3_000 }: InspectSentinelOptions = {},
): Promise<Answer<SentinelReport>> {
  const { master = "" } = options.address.sentinel ?? {};
  return visitRedis(sentinelOptionsAt(options, endpoint), {
    timeoutMs,
    work: async (sentinel) => {
      // whoever is not let in, or reaches nobody, is told so here and not in a refusal
      await sentinel.ping();
      const electorate = await ask(async () => `${await sentinel.call(...CKQUORUM, master)}`);
      return await ask(async () => ({ ...await viewSentinel(sentinel, master), electorate }));
    },
  });
}

const CKQUORUM = ["SENTINEL", "CKQUORUM"] as const;
