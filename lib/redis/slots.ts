import type { Endpoint } from "./options.ts";

/** Some slots of a Cluster, and the node that has them. */
export interface SlotRange {
  readonly first: number;
  /** Included. */
  readonly last: number;
  readonly owner: Endpoint;
}

/**
 * Reads the reply of `CLUSTER SLOTS`.
 *
 * @param asked who answered: a node that does not know its own address leaves it out
 * @throws TypeError where it is none, or no slot has an owner, as in a node that has not met the others yet
 */
export function readSlots(reply: unknown, asked: Endpoint): SlotRange[] {
  if (!Array.isArray(reply)) throw new TypeError("Cannot read the slots of the Cluster");
  const ranges = reply.flatMap((entry): SlotRange[] => {
    // [first, last, [host, port, ...] of the primary, those of replicas ...]
    const [first, last, primary] = entry as [unknown, unknown, unknown[] | undefined];
    const [host, port] = primary ?? [];
    if (port === undefined || port === null) return [];
    const owner = { host: host ? String(host) : asked.host, port: Number(port) };
    return [{ first: Number(first), last: Number(last), owner }];
  });
  if (ranges.length === 0) throw new TypeError("The Cluster has no slots");
  return ranges;
}
