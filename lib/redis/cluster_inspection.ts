/** A look at one node of a Cluster for `doctor`: how it finds the whole. */
import { type Answer, ask } from "./answer.ts";
import { type Endpoint, optionsAt, type RedisOptions } from "./options.ts";
import { readSlots, type SlotRange } from "./slots.ts";
import { visitRedis } from "./visit.ts";

/** Slots of a whole Cluster. */
export const SLOTS = 16_384;

/** How one node finds its Cluster. */
export interface ClusterView {
  /** `cluster_state`: `ok`, or `fail` where it takes no commands for some slots, or for all. */
  readonly state: Answer<string>;
  /** Slots that a node has which is there. */
  readonly slotsServed: number;
  /** Who has which slots. */
  readonly ranges: readonly SlotRange[];
}

/** Options of {@link inspectCluster}. */
export interface InspectClusterOptions {
  /** Gives up after this many milliseconds. @default 3000 */
  readonly timeoutMs?: number;
}

/**
 * Asks a node how it finds its Cluster.
 *
 * @returns what it says, or its refusal: it may be no node of a Cluster
 * @throws {Error} what the client says where it cannot be reached or lets nobody in
 */
export function inspectCluster(
  options: RedisOptions,
  endpoint: Endpoint,
  { timeoutMs = 3_000 }: InspectClusterOptions = {},
): Promise<Answer<ClusterView>> {
  return visitRedis(optionsAt(options, endpoint), {
    timeoutMs,
    work: async (node) => {
      // whoever is not let in, or reaches nobody, is told so here and not in a refusal
      await node.ping();
      return await ask(async () => {
        const ranges = readSlots(await node.call("CLUSTER", "SLOTS"), endpoint);
        // Runnel itself does without it, so that its user may not be allowed to ask
        const info = await ask(async () => fieldsOf(`${await node.call("CLUSTER", "INFO")}`));
        return "refused" in info
          ? { state: info, slotsServed: countOf(ranges), ranges }
          : { ...info.value, ranges };
      });
    },
  });
}

function fieldsOf(info: string): Pick<ClusterView, "state" | "slotsServed"> {
  const field = (name: string) => new RegExp(`^${name}:(\\w+)`, "m").exec(info)?.[1] ?? "";
  return {
    state: { value: field("cluster_state") },
    slotsServed: Number(field("cluster_slots_ok")),
  };
}

function countOf(ranges: readonly SlotRange[]): number {
  return ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);
}
