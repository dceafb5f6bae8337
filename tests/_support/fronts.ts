/** A topology whose servers are reached through proxies, by Runnel and by one another. */
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type { Topology, TopologyName, TopologyOptions } from "../../lib/cli/topology/topology.ts";
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import { startProxy, type TcpProxy } from "./tcp_proxy.ts";

/** A topology behind proxies. Disposing it ends both. */
export interface Fronted extends AsyncDisposable {
  readonly topology: Topology;
  /** The proxy before a server; fails where nobody is told to use one. */
  proxyOf(server: RedisServer): TcpProxy;
}

/** Starts a topology with a proxy before each server. */
export async function startFronted(
  name: TopologyName,
  options: Omit<TopologyOptions, "front"> = {},
): Promise<Fronted> {
  await using stack = new AsyncDisposableStack();
  const proxies = new Map<number, TcpProxy>();
  const front = (port: number): number => {
    let proxy = proxies.get(port);
    if (proxy === undefined) proxies.set(port, proxy = stack.use(startProxy({ port })));
    return proxy.port;
  };
  const topology = stack.use(await startTopology(name, { ...options, front }));
  const all = stack.move();
  return {
    topology,
    proxyOf({ port }) {
      const proxy = proxies.get(port);
      if (proxy === undefined) throw new TypeError(`Cannot find a proxy: none leads to ${port}`);
      return proxy;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
