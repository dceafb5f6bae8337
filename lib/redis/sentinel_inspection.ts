/** A look at one Sentinel for `doctor`: what it says of the set that Runnel uses. */
import { type Answer, ask } from "./answer.ts";
import { type Endpoint, type RedisOptions, sentinelOptionsAt } from "./options.ts";
import { fieldsOf } from "./replies.ts";
import { visitRedis } from "./visit.ts";

/** What one Sentinel says of a set. */
export interface SentinelView {
  readonly primary: Endpoint;
  /** Rises with every failover: the higher one is the newer. */
  readonly epoch: number;
  /** Whether it finds the primary down. */
  readonly isDown: boolean;
  readonly replicas: number;
  /** The Sentinels that it knows, itself among them. */
  readonly sentinels: number;
  /** How many must find the primary down before one of them is replaced. */
  readonly quorum: number;
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
): Promise<Answer<SentinelView>> {
  const { master = "" } = options.address.sentinel ?? {};
  return visitRedis(sentinelOptionsAt(options, endpoint), {
    timeoutMs,
    work: async (sentinel) => {
      // whoever is not let in, or reaches nobody, is told so here and not in a refusal
      await sentinel.ping();
      const electorate = await ask(async () => `${await sentinel.call(...CKQUORUM, master)}`);
      return await ask(async () =>
        viewOf(fieldsOf(await sentinel.call("SENTINEL", "MASTER", master)), electorate)
      );
    },
  });
}

const CKQUORUM = ["SENTINEL", "CKQUORUM"] as const;

function viewOf(fields: Map<string, string>, electorate: Answer<string>): SentinelView {
  const number = (name: string) => Number(fields.get(name) ?? 0);
  return {
    primary: { host: fields.get("ip") ?? "", port: number("port") },
    epoch: number("config-epoch"),
    isDown: /\b[so]_down\b/.test(fields.get("flags") ?? ""),
    replicas: number("num-slaves"),
    sentinels: number("num-other-sentinels") + 1,
    quorum: number("quorum"),
    electorate,
  };
}
