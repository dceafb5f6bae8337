/** Failovers to a replica that was held back: what was written last is on a branch that is lost. */
import keySlot from "cluster-key-slot";
import assert from "node:assert/strict";
import type { RedisServer } from "../../lib/cli/topology/local_redis.ts";
import { ownerOf } from "../../lib/cli/topology/move_slot.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import type { Topology } from "../../lib/cli/topology/topology.ts";
import { partitionOf } from "../../lib/codec/partition_of.ts";
import { primariesOf, roleOf } from "../_support/topologies.ts";
import { until } from "../_support/until.ts";
import { restoreData, saveData } from "./data_folder.ts";

const PASSWORD = "secret";
const CLUSTER_PARTITIONS = 16;

/** Servers that can lose what was written last. Disposing it ends them. */
export interface Branches extends AsyncDisposable {
  readonly topology: Topology;
  /** The hash tag of the topic's partition, with its braces. */
  readonly base: string;
  /** Who has the topic at first. */
  readonly primary: RedisServer;
  /** From now on what the primary writes is its own alone. */
  holdBack(): Promise<void>;
  /** Kills the primary; resolves when there is one again, without what was written since. */
  failOver(): Promise<void>;
  /** Brings back whoever is still away; resolves when it has forgotten its own branch. */
  bringBack(): Promise<void>;
}

/** Where a branch can be lost. */
export const LOSSES = ["sentinel", "cluster", "single"] as const;

/** Starts the servers; what is said of a primary is meant of the one that has this topic. */
export function startBranches(name: typeof LOSSES[number], topic: string): Promise<Branches> {
  return name === "single" ? LostTail.start() : StaleReplica.start(name, topic);
}

/** One Redis that comes back without its last writes, as with `everysec`. */
class LostTail implements Branches {
  readonly topology: Topology;
  readonly base = "{rn:0}";
  readonly primary: RedisServer;
  #saved = "";

  private constructor(topology: Topology, primary: RedisServer) {
    this.topology = topology;
    this.primary = primary;
  }

  static async start(): Promise<LostTail> {
    const topology = await startTopology("single", { args: ["--appendfsync", "everysec"] });
    const [{ server } = assert.fail("no server")] = topology.servers;
    return new LostTail(topology, server);
  }

  async holdBack(): Promise<void> {
    // what is only in its memory would be missing in the copy
    await this.primary.cli("CONFIG", "SET", "appendfsync", "always");
    this.#saved = await saveData(this.primary);
  }

  async failOver(): Promise<void> {
    await this.primary.kill9();
    await restoreData(this.primary, this.#saved);
    await this.primary.restart();
  }

  bringBack(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.topology[Symbol.asyncDispose]();
  }
}

/** A primary, and replicas that are cut off before one of them takes over. */
class StaleReplica implements Branches {
  readonly topology: Topology;
  readonly base: string;
  readonly primary: RedisServer;
  readonly #replicas: readonly RedisServer[];

  private constructor(
    { topology, base, primary, replicas }: {
      topology: Topology;
      base: string;
      primary: RedisServer;
      replicas: readonly RedisServer[];
    },
  ) {
    this.topology = topology;
    this.base = base;
    this.primary = primary;
    this.#replicas = replicas;
  }

  static async start(name: "sentinel" | "cluster", topic: string): Promise<StaleReplica> {
    const topology = await startTopology(name, { password: PASSWORD });
    try {
      const base = name === "sentinel"
        ? "{rn:0}"
        : `{rn:${partitionOf(topic, CLUSTER_PARTITIONS)}/${CLUSTER_PARTITIONS}}`;
      const primaries = await primariesOf(topology);
      const primary = name === "sentinel" ? primaries[0] : await ownerOf(keySlot(base), primaries);
      assert.ok(primary !== undefined);
      const replicas = await replicasOf(topology, primary);
      assert.ok(replicas.length > 0);
      return new StaleReplica({ topology, base, primary, replicas });
    } catch (error) {
      await topology[Symbol.asyncDispose]();
      throw error;
    }
  }

  async holdBack(): Promise<void> {
    const offsetOf = async (server: RedisServer) =>
      /(?:master|slave)_repl_offset:(\d+)/.exec(await server.cli("INFO", "replication"))?.[1];
    for (const replica of this.#replicas) {
      await until(async () => await offsetOf(replica) === await offsetOf(this.primary));
      await replica.cli("CONFIG", "SET", "masterauth", "wrong");
      await replica.cli("CLIENT", "KILL", "TYPE", "master");
      await until(async () =>
        /master_link_status:down/.test(await replica.cli("INFO", "replication"))
      );
    }
  }

  async failOver(): Promise<void> {
    await this.primary.kill9();
    await until(async () => {
      const roles = await Promise.all(this.#replicas.map((replica) => roleOf(replica)));
      return roles.includes("master");
    }, { timeoutMs: 40_000, everyMs: 50, what: "a replica to be promoted" });
    for (const replica of this.#replicas) {
      await replica.cli("CONFIG", "SET", "masterauth", PASSWORD);
    }
  }

  async bringBack(): Promise<void> {
    await this.primary.restart();
    await until(async () => {
      const info = await this.primary.cli("INFO", "replication");
      return /role:slave/.test(info) && /master_link_status:up/.test(info);
    }, { timeoutMs: 40_000, everyMs: 50, what: "the old primary to follow" });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.topology[Symbol.asyncDispose]();
  }
}

async function replicasOf({ servers }: Topology, primary: RedisServer): Promise<RedisServer[]> {
  const replicas: RedisServer[] = [];
  for (const { part, server } of servers) {
    if (part === "sentinel" || server === primary) continue;
    const info = await server.cli("INFO", "replication");
    if (new RegExp(`master_port:${primary.port}\r?\n`).test(info)) replicas.push(server);
  }
  return replicas;
}
