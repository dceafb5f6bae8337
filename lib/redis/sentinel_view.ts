import type { Redis } from "ioredis";
import type { Endpoint } from "./options.ts";
import { fieldsOf } from "./replies.ts";

/** What one Sentinel says of a set. */
export interface SentinelView {
  readonly primary: Endpoint;
  /** Rises with every failover: the higher one is the newer. */
  readonly epoch: number;
  /** Whether it finds the primary down. */
  readonly isDown: boolean;
  /** Whether it replaces the primary just now, or is about to. */
  readonly isReplaced: boolean;
  readonly replicas: number;
  /** The Sentinels that it knows, itself among them. */
  readonly sentinels: number;
  /** How many must find the primary down before one of them is replaced. */
  readonly quorum: number;
}

/**
 * Asks a Sentinel about a set.
 *
 * @throws {Error} what the client says, or the Sentinel: it may not know the set
 */
export async function viewSentinel(sentinel: Redis, master: string): Promise<SentinelView> {
  const fields = fieldsOf(await sentinel.call("SENTINEL", "MASTER", master));
  const number = (name: string) => Number(fields.get(name) ?? 0);
  const flags = fields.get("flags") ?? "";
  return {
    primary: { host: fields.get("ip") ?? "", port: number("port") },
    epoch: number("config-epoch"),
    isDown: /\b[so]_down\b/.test(flags),
    isReplaced: /\b(o_down|failover_in_progress)\b/.test(flags),
    replicas: number("num-slaves"),
    sentinels: number("num-other-sentinels") + 1,
    quorum: number("quorum"),
  };
}
