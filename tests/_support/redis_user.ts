/** The Redis user of the README, as it is written there. */
import type { Topology } from "../../lib/cli/topology/topology.ts";
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";

/** A user's name and password, and rules as `ACL SETUSER` takes them. */
export interface RedisUser {
  readonly name: string;
  readonly password: string;
  /** Of a Redis that stands alone or is watched by Sentinels. */
  readonly serving: readonly string[];
  /** Of a Cluster's nodes. */
  readonly cluster: readonly string[];
  /** What these need besides. */
  readonly reshard: readonly string[];
  readonly doctor: readonly string[];
  readonly database: readonly string[];
  /** Of Sentinels. */
  readonly sentinel: readonly string[];
}

/** Reads the README's user. */
export async function readRedisUser(): Promise<RedisUser> {
  const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
  const [, section = ""] = /<!-- acl -->([^]*)<!-- \/acl -->/.exec(readme) ?? [];
  const lines = section.replaceAll("\\\n", " ").split("\n")
    .filter((line) => /^redis-cli (-p \d+ )?ACL SETUSER /.test(line))
    .map((line) =>
      line.replace(/^.* SETUSER /, "").split(/\s+/).map((word) => word.replace(/^'(.*)'$/, "$1"))
    );
  const [serving = [], sharded = [], reshard = [], doctor = [], database = [], sentinel = []] =
    lines.map((words) => words.slice(1));
  const password = serving.find((rule) => rule.startsWith(">"))?.slice(1) ?? "";
  // "in place of the last line"
  const cluster = [
    ...serving.filter((rule) => !/^\+(un)?subscribe$|^\+publish$/.test(rule)),
    ...sharded,
  ];
  const name = lines[0]?.[0] ?? "";
  return { name, password, serving, cluster, reshard, doctor, database, sentinel };
}

/** Makes the user at a server, as its default user. */
export async function giveUser(
  server: RedisServer,
  { name }: RedisUser,
  rules: readonly string[],
): Promise<void> {
  await server.cli("ACL", "SETUSER", name, ...rules);
}

/** The rules without one. */
export function without(rules: readonly string[], one: string): string[] {
  return rules.filter((rule) => rule !== one);
}

/** Makes the user at all servers of a topology; resolves with the variables by which Runnel is that user. */
export async function giveUserTo(
  { name: topology, env, servers }: Topology,
  user: RedisUser,
): Promise<Record<string, string>> {
  const ofData = topology === "cluster" ? user.cluster : user.serving;
  for (const { part, server } of servers) {
    await giveUser(server, user, part === "sentinel" ? user.sentinel : ofData);
  }
  const { name, password } = user;
  const ofSentinels = { REDIS_SENTINEL_USERNAME: name, REDIS_SENTINEL_PASSWORD: password };
  return {
    ...env,
    REDIS_USERNAME: name,
    REDIS_PASSWORD: password,
    ...(topology === "sentinel" ? ofSentinels : {}),
  };
}
