import type { RedisInspection } from "../../redis/inspection.ts";
import type { Finding } from "./finding.ts";
import type { ServerPart } from "./link.ts";

/** What a primary's replicas are good for: taking over, and keeping a primary that is cut off from taking writes. */
export function replicationFindings(
  { role, replicas, settings }: Pick<RedisInspection, "role" | "replicas" | "settings">,
  part: ServerPart,
): Finding[] {
  if (role !== "master") return [];
  const least = "value" in settings ? leastOf(settings.value) : undefined;
  if (least !== undefined && least.replicas > replicas) return [refusal(least.replicas, replicas)];
  // nobody takes over from one that is alone
  if (part === "alone") return [];
  if (replicas === 0) return [none(part)];
  const count = replicas === 1 ? "a replica" : `${replicas} replicas`;
  const found: Finding = { level: "ok", text: `It has ${count}` };
  if (least === undefined) return [found];
  return [found, ...splitFindings(least, replicas)];
}

interface Least {
  readonly replicas: number;
  /** Seconds. */
  readonly maxLag: number;
}

/** Either setting is off at 0. */
function leastOf(
  settings: { readonly minReplicasToWrite: number; readonly minReplicasMaxLag: number },
): Least {
  const { minReplicasToWrite, minReplicasMaxLag: maxLag } = settings;
  return { replicas: maxLag === 0 ? 0 : minReplicasToWrite, maxLag };
}

function refusal(least: number, replicas: number): Finding {
  return {
    level: "failure",
    text: `min-replicas-to-write is ${least}, but it has ${replicas}: it refuses every write`,
    advice: "Bring its replicas back, or lower it: redis-cli CONFIG SET min-replicas-to-write …",
  };
}

function none(part: ServerPart): Finding {
  return {
    level: "warning",
    text: "It has no replica that is there: when it dies, nothing takes over",
    advice: part === "node"
      ? "Give it one: redis-cli --cluster add-node <new> <any> --cluster-slave --cluster-master-id …"
      : "Start one with --replicaof, or bring its replicas back",
  };
}

function splitFindings({ replicas: least, maxLag }: Least, replicas: number): Finding[] {
  if (least > 0) {
    const text = `min-replicas-to-write is ${least}: a primary that is cut off from its replicas ` +
      `stops taking writes after ${maxLag} seconds`;
    if (least < replicas) return [{ level: "ok", text }];
    return [{
      level: "note",
      text: `${text}; so it does where a replica dies, as it has only ${replicas}`,
      advice: "One replica more keeps publishing going while one is away",
    }];
  }
  return [{
    level: "warning",
    text: "min-replicas-to-write is 0: a primary that is cut off goes on acknowledging `stored` " +
      "messages until it is demoted; then they are lost, and announced as $gap failover",
    advice:
      "redis-cli CONFIG SET min-replicas-to-write 1, and min-replicas-max-lag 10, on it and\n" +
      "on its replicas, stops that after ten seconds. What must not be lost at all, publish with\n" +
      'durability "replicated": that is acknowledged only when a replica has it',
  }];
}
