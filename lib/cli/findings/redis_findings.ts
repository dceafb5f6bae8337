import { isLoopbackHost } from "../../http/origin.ts";
import type { Answer } from "../../redis/answer.ts";
import {
  type InspectOptions,
  inspectRedis,
  type PersistenceSettings,
  type RedisInspection,
} from "../../redis/inspection.ts";
import type { Finding } from "./finding.ts";
import type { Link } from "./link.ts";
import { linkFailure } from "./link_failure.ts";
import { permissionFindings } from "./permission_findings.ts";
import { OLDEST_REDIS } from "../redis/redis_binary.ts";
import { replicationFindings } from "./replication_findings.ts";

/** Looks at a Redis and says what is good and what is wrong about it, also where it cannot be reached. */
export async function examine(link: Link, options: InspectOptions): Promise<Finding[]> {
  const { prefix, slots } = options;
  const ask = () => permissionFindings(link.options, { prefix, sharded: slots !== undefined });
  try {
    const seen = await inspectRedis(link.options, options);
    return [...redisFindings(seen, link), ...await ask()];
  } catch (error) {
    const lacking = (await ask()).filter(({ level }) => level === "failure");
    return lacking.length > 0 ? lacking : [await linkFailure(error, link)];
  }
}

/** What is good and what is wrong about a Redis that could be looked at. */
export function redisFindings(seen: RedisInspection, link: Link): Finding[] {
  const findings: Finding[] = [
    { level: "ok", text: `Redis answers at ${link.where}` },
    ...linkFindings(link),
    versionFinding(seen),
    ...roleFindings(seen, link),
    ...settingsFindings(seen.settings),
    ...replicationFindings(seen, link.part),
    ...healthFindings(seen),
    scriptFinding(seen.replicationIdInScripts),
    roundTripFinding(seen.roundTripMs),
  ];
  return findings.map((finding) => ({ ...finding, where: link.where }));
}

function linkFindings({ options, settings }: Link): Finding[] {
  const { path, host = "", tls, password } = options.address;
  if (path !== undefined) return [];
  const link: Finding = tls
    ? { level: "ok", text: "The link is TLS, and Redis's certificate is verified" }
    : isLoopbackHost(host)
    ? { level: "ok", text: "The link is plain TCP on this machine" }
    : {
      level: "warning",
      text: "The link to another machine is plain TCP: whoever is on the way reads and changes it",
      advice: `${settings.toTls} (and set REDIS_TLS_CA for a CA of your own)`,
    };
  if (password !== undefined || isLoopbackHost(host)) return [link];
  return [link, {
    level: "warning",
    text: "Redis asks for no password",
    advice: "Set requirepass or an ACL user in Redis, and put the password into REDIS_PASSWORD",
  }];
}

function versionFinding({ server, version }: RedisInspection): Finding {
  const text = `It is ${server} ${version}`;
  if (Number.parseInt(version) >= OLDEST_REDIS) return { level: "ok", text };
  return {
    level: "failure",
    text,
    advice: `Runnel needs version ${OLDEST_REDIS} or newer: upgrade it, or use another one`,
  };
}

function roleFindings({ role, mode, loading }: RedisInspection, link: Link): Finding[] {
  const findings: Finding[] = [];
  // a Sentinel has no other role
  if (role !== "master" && mode !== "sentinel") {
    findings.push({
      level: "failure",
      text: `Its role is "${role}": it takes no writes`,
      advice: link.part === "alone"
        ? "Let REDIS_URL name the primary"
        : "Run doctor again: perhaps another one has become the primary just now",
    });
  }
  if (mode !== (link.part === "node" ? "cluster" : "standalone")) {
    findings.push(modeFinding(mode, link));
  }
  if (loading) {
    findings.push({
      level: "warning",
      text: "It is still loading its data and refuses commands",
      advice: "Wait, and run doctor again",
    });
  }
  return findings;
}

function modeFinding(mode: string, { part, options }: Link): Finding {
  const { host, port, tls } = options.address;
  const scheme = tls ? "rediss" : "redis";
  if (mode === "cluster" && part === "alone") {
    return {
      level: "failure",
      text: "It is a node of a Cluster, and is used as if it were a Redis of its own",
      advice:
        `Write ${scheme}+cluster://${host}:${port} in REDIS_URL, best with other nodes after it`,
    };
  }
  if (mode === "sentinel") {
    return {
      level: "failure",
      text: "It is a Sentinel: it keeps no data",
      advice: `Write ${scheme}+sentinel://${host}:${port}/<master> in REDIS_URL`,
    };
  }
  return {
    level: "failure",
    text: `Its mode is "${mode}"`,
    advice: "Let REDIS_URL name a Redis that runs standalone, Sentinels, or a Cluster",
  };
}

function settingsFindings(settings: Answer<PersistenceSettings>): Finding[] {
  if ("refused" in settings) {
    return [{
      level: "warning",
      text: `Its settings cannot be read (${settings.refused})`,
      advice:
        "Look in your provider's console: appendonly yes, appendfsync always (or everysec), " +
        "maxmemory-policy noeviction",
    }];
  }
  const { appendonly, appendfsync, save, maxmemoryPolicy } = settings.value;
  return [
    appendonly === "yes" ? fsyncFinding(appendfsync) : {
      level: "failure",
      text: `appendonly is ${appendonly}: what was acknowledged is lost when Redis dies`,
      advice: "redis-cli CONFIG SET appendonly yes, and the same in redis.conf",
    },
    save === "" || save === "unknown"
      ? {
        level: "note",
        text: "There are no snapshots (save is empty): the AOF alone keeps the data",
        advice: 'redis-cli CONFIG SET save "900 1 300 10 60 10000" makes backups easy to take',
      }
      : { level: "ok", text: `save is ${save}` },
    maxmemoryPolicy === "noeviction" ? { level: "ok", text: "maxmemory-policy is noeviction" } : {
      level: "failure",
      text: `maxmemory-policy is ${maxmemoryPolicy}: Redis may throw messages away`,
      advice: "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in redis.conf",
    },
  ];
}

function fsyncFinding(appendfsync: string): Finding {
  if (appendfsync === "always") {
    return { level: "ok", text: "appendonly is yes, appendfsync is always" };
  }
  return {
    level: "warning",
    text: appendfsync === "everysec"
      ? "appendfsync is everysec: a kill or a power cut can take up to two seconds of acknowledged messages"
      : `appendfsync is ${appendfsync}: a power cut takes whatever the system has not written yet`,
    advice: "redis-cli CONFIG SET appendfsync always, and the same in redis.conf",
  };
}

function healthFindings({ lastAofWriteOk, lastSnapshotOk }: RedisInspection): Finding[] {
  const failed = [
    ...(lastAofWriteOk ? [] : ["the last write of its AOF"]),
    ...(lastSnapshotOk ? [] : ["its last snapshot"]),
  ];
  if (failed.length === 0) return [];
  return [{
    level: "failure",
    text: `Redis says that ${failed.join(" and ")} failed`,
    advice: "Look for a full or read-only disk, and at Redis's log",
  }];
}

function scriptFinding(answer: Answer<string>): Finding {
  if ("value" in answer) return { level: "ok", text: "Scripts may read INFO replication" };
  return {
    level: "failure",
    text: `Scripts may not read INFO replication (${answer.refused})`,
    advice: "Allow it to the ACL user: ACL SETUSER <user> +info (Runnel tells a failover by it)",
  };
}

function roundTripFinding(answer: Answer<number>): Finding {
  if ("refused" in answer) {
    return {
      level: "failure",
      text: `A message does not get through Redis (${answer.refused})`,
      advice: "Cure what else is found here first, and look at Redis's log",
    };
  }
  const ms = answer.value;
  const text = `A message gets through Redis in ${ms.toFixed(1)} ms`;
  if (ms < 50) return { level: "ok", text };
  return {
    level: "warning",
    text,
    advice: "Run Runnel nearer to Redis: every publish waits for it",
  };
}
