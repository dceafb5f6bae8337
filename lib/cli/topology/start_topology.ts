import { Build } from "./build.ts";
import { startCluster } from "./cluster.ts";
import { startSentinelSet } from "./sentinel_set.ts";
import type { Topology, TopologyName, TopologyOptions } from "./topology.ts";

/**
 * Starts the servers of a topology on free loopback ports and waits until they have found together. They end with this
 * process, however that ends.
 *
 * @throws {ServerStartError} where one of them does not start
 */
export async function startTopology(
  name: TopologyName,
  options: TopologyOptions = {},
): Promise<Topology> {
  await using build = new Build(name, options);
  const REDIS_URL = await startServers(name, build);
  return await build.finish({ REDIS_URL });
}

async function startServers(name: TopologyName, build: Build): Promise<string> {
  switch (name) {
    case "single":
      return await startShards(build, 1);
    case "tls":
      return await startShards(build, 1);
    case "shards":
      return await startShards(build, build.options.shards ?? 3);
    case "sentinel":
      return await startSentinelSet(build);
    case "cluster":
      return await startCluster(build);
  }
}

async function startShards(build: Build, count: number): Promise<string> {
  const servers = await Promise.all(Array.from({ length: count }, () => build.data("primary")));
  return servers
    .map(({ url, port }) => `${url.split("://")[0]}://127.0.0.1:${build.front(port)}`)
    .join(" ");
}
