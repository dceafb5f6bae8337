import { describeRedisAddress } from "../../redis/address.ts";
import { grantOf, missingRules, missingSentinelRules } from "../../redis/permission_check.ts";
import {
  CALLED_COMMANDS,
  CHANNEL_COMMANDS,
  CLUSTER_COMMANDS,
  DATABASE_COMMANDS,
  DOCTOR_COMMANDS,
  SCRIPT_COMMANDS,
} from "../../redis/permissions.ts";
import { type RedisOptions, sentinelOptionsAt } from "../../redis/options.ts";
import { visitRedis } from "../../redis/visit.ts";
import type { Finding } from "./finding.ts";

/** Options of {@link permissionFindings}. */
export interface PermissionOptions {
  /** What every key starts with. */
  readonly prefix: string;
  /** Whether it is a node of a Cluster. @default false */
  readonly sharded?: boolean;
  /** Gives up after this many milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

/** What the user may not do at a Redis, and the rules that let it; nothing where that cannot be found out. */
export async function permissionFindings(
  options: RedisOptions,
  { prefix, sharded = false, timeoutMs = 5_000 }: PermissionOptions,
): Promise<Finding[]> {
  // the database is asked about, and a visit would choose it first
  const { username, db } = options.address;
  const there = { ...options, address: { ...options.address, db: 0 } };
  const needed = [
    ...SCRIPT_COMMANDS,
    ...CALLED_COMMANDS,
    ...(sharded ? CLUSTER_COMMANDS : CHANNEL_COMMANDS),
    ...(db === 0 ? [] : DATABASE_COMMANDS),
  ];
  const ask = (commands: readonly string[]) =>
    visitRedis(there, { timeoutMs, work: (redis) => missingRules(redis, { commands, prefix }) });
  try {
    const missing = await ask(needed);
    if (missing.length > 0) return [finding(missing, options)];
    const wished = await ask(DOCTOR_COMMANDS);
    if (wished.length > 0) return [wish(wished, username)];
  } catch {
    // what keeps it from being asked is told by whoever looks at the link
    return [];
  }
  return [{ level: "ok", text: "The Redis user may do all that Runnel does" }];
}

/** What the user may not do at Sentinels, and the rules that let it; nothing of those that cannot be asked. */
export async function sentinelPermissionFindings(
  options: RedisOptions,
  { timeoutMs = 5_000 }: { readonly timeoutMs?: number } = {},
): Promise<Finding[]> {
  const { endpoints = [], master = "" } = options.address.sentinel ?? {};
  const found = await Promise.all(endpoints.map(async (endpoint) => {
    const there = sentinelOptionsAt(options, endpoint);
    const missing = await visitRedis(there, {
      timeoutMs,
      work: (redis) => missingSentinelRules(redis, master),
    }).catch(() => []);
    return missing.length === 0 ? [] : [finding(missing, there)];
  }));
  return found.flat();
}

function finding(missing: readonly string[], { address }: RedisOptions): Finding {
  const user = address.username ?? "default";
  return {
    level: "failure",
    text: `The user "${user}" lacks ${missing.join(" ")} at ${describeRedisAddress(address)}`,
    advice: `${grantOf(user, missing)}\n` +
      "at every server, replicas too, and in its users.acl or redis.conf; the README has all rules",
  };
}

function wish(missing: readonly string[], user = "default"): Finding {
  return {
    level: "note",
    text: `The user "${user}" lacks ${missing.join(" ")}, so that settings cannot be looked at`,
    advice: `For as long as doctor looks: ${grantOf(user, missing)}`,
  };
}
