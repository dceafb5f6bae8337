/** Topologies as tests look at them: which server is what now, and a Runnel on them. */
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import type { Topology } from "../../lib/cli/topology/topology.ts";
import { openRunnel, type Runnel, type RunnelOptions } from "./open_runnel.ts";

/** Opens a Runnel on a topology. */
export function openOn(
  { env: { REDIS_URL: redisUrl, ...env } }: Topology,
  options: Omit<RunnelOptions, "redisUrl"> = {},
): Promise<Runnel> {
  return openRunnel({ ...options, redisUrl, env: { ...env, ...options.env } });
}

/** The data servers that are primaries now; one that is frozen must be left out, since it would not answer. */
export async function primariesOf(
  { servers }: Topology,
  without?: RedisServer,
): Promise<RedisServer[]> {
  const data = servers
    .flatMap(({ part, server }) => part === "sentinel" || server === without ? [] : [server]);
  const roles = await Promise.all(data.map((server) => roleOf(server)));
  return data.filter((_, i) => roles[i] === "master");
}

/** `master` or `slave`; undefined where it cannot be asked. */
export async function roleOf(server: RedisServer): Promise<string | undefined> {
  return await server.cli("ROLE").then((text) => text.split("\n")[0], () => undefined);
}
