import { type ClusterView, inspectCluster, SLOTS } from "../../redis/cluster_inspection.ts";
import type { Endpoint, RedisOptions } from "../../redis/options.ts";
import type { SlotRange } from "../../redis/slots.ts";
import type { Finding } from "./finding.ts";
import { nodeLink } from "./link.ts";
import type { Reason } from "./reason.ts";
import { examine } from "./redis_findings.ts";
import { endpointText, listed, seeds, type Seen } from "./seeds.ts";

/** Looks at a Cluster and at each of its primaries, and says what is good and what is wrong about them. */
export async function examineCluster(
  options: RedisOptions,
  { prefix }: { prefix: string },
): Promise<Finding[]> {
  const { seen, findings } = await seeds(options.address.cluster ?? [], {
    names: ["node", "nodes"],
    link: (endpoint) => nodeLink(options, endpoint),
    look: (endpoint) => inspectCluster(options, endpoint),
    explain: (refusal) => explainRefusal(refusal, options),
  });
  // one that was cut off sees less than the others
  const widest = seen.toSorted((a, b) => b.view.slotsServed - a.view.slotsServed)[0]?.view;
  if (widest === undefined) return [...findings];
  const nodes = await Promise.all(
    primariesOf(widest).map(({ owner, slots }) =>
      examine(nodeLink(options, owner), { prefix, slots })
    ),
  );
  return [...findings, ...clusterFindings(seen), ...nodes.flat()];
}

function explainRefusal(refusal: string, { address }: RedisOptions): Reason {
  const scheme = address.tls ? "rediss" : "redis";
  if (/cluster support disabled/i.test(refusal)) {
    return ["it is no node of a Cluster", `Write ${scheme}:// in REDIS_URL for a single Redis`];
  }
  if (/has no slots/i.test(refusal)) {
    return [
      "it knows of no slots: the Cluster was not made yet, or it has not met the others",
      "redis-cli --cluster create <nodes> --cluster-replicas 1, or CLUSTER MEET there",
    ];
  }
  return [
    `it refuses to tell (${refusal})`,
    "Allow the ACL user what Runnel asks: ACL SETUSER <user> +cluster|slots +ping",
  ];
}

/** What the nodes that answer say of the whole. */
export function clusterFindings(seen: readonly Seen<ClusterView>[]): Finding[] {
  return [stateFinding(seen), slotsFinding(seen)];
}

function stateFinding(seen: readonly Seen<ClusterView>[]): Finding {
  const refused = seen.flatMap(({ view: { state } }) => "refused" in state ? [state.refused] : []);
  const bad = seen.filter(({ view: { state } }) => "value" in state && state.value !== "ok");
  if (bad.length === 0 && refused.length > 0) {
    return {
      level: "note",
      text: `cluster_state cannot be read (${refused[0]})`,
      advice: "ACL SETUSER <user> +cluster|info lets doctor read it; Runnel does without",
    };
  }
  if (bad.length === 0) return { level: "ok", text: "cluster_state is ok" };
  return {
    level: "failure",
    text: `cluster_state is fail, says ${listed(bad)}`,
    advice: "redis-cli --cluster check <any node> says which nodes or slots are missing",
  };
}

function slotsFinding(seen: readonly Seen<ClusterView>[]): Finding {
  const served = Math.max(...seen.map(({ view }) => view.slotsServed));
  if (served === SLOTS) return { level: "ok", text: `All ${SLOTS} slots are served` };
  return {
    level: "failure",
    text: `${SLOTS - served} of ${SLOTS} slots are not served: the topics there cannot be used`,
    advice: "Bring the nodes back that have them, or redis-cli --cluster fix <any node>",
  };
}

interface Primary {
  readonly owner: Endpoint;
  readonly slots: readonly SlotRange[];
}

function primariesOf({ ranges }: ClusterView): Primary[] {
  const byOwner = Map.groupBy(ranges, ({ owner }) => endpointText(owner));
  return [...byOwner.values()].flatMap((slots) => {
    const owner = slots[0]?.owner;
    return owner === undefined ? [] : [{ owner, slots }];
  });
}
