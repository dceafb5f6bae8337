/** What a chaos run stands on: Redis servers behind proxies, and instances of Runnel. */
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type {
  ServerPart,
  Topology,
  TopologyName,
  TopologyOptions,
} from "../../lib/cli/topology/topology.ts";
import { startProxy, type TcpProxy } from "../_support/tcp_proxy.ts";
import { primariesOf, roleOf } from "../_support/topologies.ts";
import { until } from "../_support/until.ts";
import { Instance } from "./instance.ts";

/** Whose Redis and whose Runnel a run is against: started here, or the user's own. */
export type GroundName = TopologyName | "own";

/** Options of {@link openGround}. */
export interface GroundOptions {
  readonly name: GroundName;
  /** Instances of Runnel that run already; none are started then. @default [] */
  readonly urls?: readonly string[];
  /**
   * Environment of the instances. With `own` it says where the Redis is; beside {@link urls} it only tells whether that
   * fails over. @default {}
   */
  readonly env?: Readonly<Record<string, string>>;
}

/** How many instances of Runnel are started. */
const INSTANCES = 2;
/** Partitions where several Redis are started. */
const PARTITIONS = 16;
// a Sentinel on a machine that has much to do finds its clock jumping, and waits for half a minute each time
const HEAL_MS = 180_000;
const SHARDS = 4;

// a replica finds a link dead that will never say so
const REPLICATION = ["--repl-timeout", "10", "--repl-ping-replica-period", "1"];

const OPTIONS: Readonly<Partial<Record<GroundName, TopologyOptions>>> = {
  shards: { shards: SHARDS },
  sentinel: { args: REPLICATION },
  cluster: { args: REPLICATION },
};

/** Opens the ground of a run. Disposing it ends all that was started. */
export async function openGround({ name, urls = [], env = {} }: GroundOptions): Promise<Ground> {
  await using stack = new AsyncDisposableStack();
  const proxies = new Map<number, TcpProxy>();
  const front = (port: number): number => {
    const known = proxies.get(port) ?? stack.use(startProxy({ port }));
    proxies.set(port, known);
    return known.port;
  };
  const topology = name === "own"
    ? undefined
    : stack.use(await startTopology(name, { ...OPTIONS[name], front }));
  const instances = urls.length > 0 ? [] : Array.from(
    { length: INSTANCES },
    () => stack.use(new Instance({ ...topology?.env, ...env })),
  );
  await Promise.all(instances.map((instance) => instance.start()));
  const redisUrl = topology?.env.REDIS_URL ?? env.REDIS_URL ?? "";
  return new Ground({ name, topology, redisUrl, proxies, instances, urls, owned: stack.move() });
}

interface Parts {
  readonly name: GroundName;
  readonly topology: Topology | undefined;
  readonly redisUrl: string;
  readonly proxies: ReadonlyMap<number, TcpProxy>;
  readonly instances: readonly Instance[];
  readonly urls: readonly string[];
  readonly owned: AsyncDisposable;
}

/** The ground of a run. */
export class Ground implements AsyncDisposable {
  readonly name: GroundName;
  /** Undefined where the Redis is the user's own. */
  readonly topology: Topology | undefined;
  /** Whether a replica can take a primary's place, with less than that had. */
  readonly failsOver: boolean;
  /** The instances that were started here. */
  readonly instances: readonly Instance[];
  /** Where clients find Runnel. */
  readonly urls: readonly string[];
  readonly #proxies: ReadonlyMap<number, TcpProxy>;
  readonly #owned: AsyncDisposable;

  constructor({ name, topology, redisUrl, proxies, instances, urls, owned }: Parts) {
    this.name = name;
    this.failsOver = /\+(sentinel|cluster):/.test(redisUrl);
    this.topology = topology;
    this.instances = instances;
    this.urls = instances.length > 0 ? instances.map(({ url }) => url) : urls;
    this.#proxies = proxies;
    this.#owned = owned;
  }

  /** How many partitions the topics are spread over; undefined where that is not known. */
  get partitions(): number | undefined {
    if (this.name === "own") return undefined;
    return this.name === "cluster" || this.name === "shards" ? PARTITIONS : 1;
  }

  /**
   * How many replicas must have a message so that every failover keeps it: all of a primary's, since a Sentinel may
   * promote any of them.
   */
  get replicas(): number {
    return Math.max(1, this.servers("replica").length / Math.max(1, this.#primaries));
  }

  /** All servers that do, or did at the start, one of these parts. */
  servers(...parts: readonly ServerPart[]): RedisServer[] {
    return (this.topology?.servers ?? [])
      .flatMap(({ part, server }) => parts.includes(part) ? [server] : []);
  }

  /** The data servers that are primaries, or replicas, as soon as there is one. */
  async data(role: "master" | "slave"): Promise<RedisServer[]> {
    const all = this.servers("primary", "replica");
    return await until(async () => {
      const roles = await Promise.all(all.map((server) => roleOf(server)));
      const found = all.filter((_, i) => roles[i] === role);
      return found.length > 0 && found;
    }, { timeoutMs: HEAL_MS, everyMs: 50, what: `a server in the part of a ${role}` });
  }

  /** Waits until another has taken the place of a primary that does not answer. */
  async promotion(lost: RedisServer): Promise<void> {
    const { topology } = this;
    if (topology === undefined) return;
    const wanted = this.#primaries;
    await until(async () => (await primariesOf(topology, lost)).length >= wanted, {
      timeoutMs: HEAL_MS,
      everyMs: 50,
      what: "a replica to be promoted",
    });
  }

  /** The proxy before a server. */
  proxyOf({ port }: RedisServer): TcpProxy {
    const proxy = this.#proxies.get(port);
    if (proxy === undefined) throw new TypeError(`Cannot find the proxy of port ${port}`);
    return proxy;
  }

  /** Waits until every server does its part again and every replica has its copy. */
  async healed(): Promise<void> {
    if (this.topology === undefined) return;
    await until(() => this.#isWhole(), {
      timeoutMs: HEAL_MS,
      everyMs: 50,
      what: "the servers to find together again",
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned[Symbol.asyncDispose]();
  }

  /** How many primaries there are when all is well. */
  get #primaries(): number {
    return this.servers("primary").length;
  }

  async #isWhole(): Promise<boolean> {
    const replicas = this.servers("replica").length;
    const infos = await Promise.all(
      this.servers("primary", "replica").map((server) => server.cli("INFO", "replication")),
    );
    const primaries = infos.filter((info) => info.includes("role:master"));
    const linked = infos.filter((info) => /master_link_status:up/.test(info));
    const online = primaries.flatMap((info) => [...info.matchAll(/state=online/g)]);
    if (primaries.length !== this.#primaries) return false;
    if (linked.length !== replicas || online.length !== replicas) return false;
    return (await Promise.all(this.servers("primary").map(isServing))).every(Boolean);
  }
}

/** Whether a server, where it is a Cluster's, finds all slots served. */
async function isServing(server: RedisServer): Promise<boolean> {
  const info = await server.cli("CLUSTER", "INFO").catch(() => "");
  return info === "" || info.includes("cluster_state:ok");
}
