import keySlot from "cluster-key-slot";
import type { Redis } from "ioredis";
import { describeRedisAddress } from "./address.ts";
import { DetourFailure, RedisFailure, toRedisFailure } from "./failure.ts";
import { RedisNode } from "./node.ts";
import { type Endpoint, optionsAt, type RedisOptions } from "./options.ts";
import type { Shard } from "./shard.ts";
import { readSlots, type SlotRange } from "./slots.ts";
import { visitRedis } from "./visit.ts";

/** Least time between two looks at who has which slot, in milliseconds. */
const LOOK_MS = 100;

/**
 * A shard that is a Cluster. The client library has one of its own, which sends again by itself what may have been done;
 * here each node is a {@link RedisNode} as any other, and only a call that a node refused goes to another.
 */
export class ClusterShard implements Shard {
  readonly url: string;
  readonly db = 0;
  readonly sharded = true;
  readonly elected = false;
  readonly #options: RedisOptions;
  readonly #seeds: readonly Endpoint[];
  readonly #nodes = new Map<string, RedisNode>();
  readonly #closing = new Set<Promise<void>>();
  #owners: readonly SlotRange[] = [];
  #looking: Promise<void> | undefined;
  #lookedAt = -Infinity;
  #closed = false;

  constructor(options: RedisOptions, seeds: readonly Endpoint[]) {
    this.url = describeRedisAddress(options.address);
    this.#options = options;
    this.#seeds = seeds;
  }

  async nodeOf(key: string): Promise<RedisNode> {
    const slot = keySlot(key);
    if (this.#ownerOf(slot) === undefined) await this.#look();
    const owner = this.#ownerOf(slot);
    if (owner !== undefined) return this.#nodeAt(owner);
    throw new RedisFailure("redis_unavailable", "No node of the Cluster has the topic's slot", {
      outcome: "unsent",
    });
  }

  heed(failure: RedisFailure): void {
    if (failure instanceof DetourFailure && failure.detour.kind === "slot") {
      const { slot, host, port } = failure.detour;
      // at once for this one, since whoever is asked for all of them may not know yet; a node may not know its own host
      if (host === "") this.#lookedAt = -Infinity;
      else this.#owners = [{ first: slot, last: slot, owner: { host, port } }, ...this.#owners];
    }
    const about = failure instanceof DetourFailure || failure.outcome !== "refused" ||
      failure.code === "redis_readonly" || failure.code === "redis_loading";
    if (about && performance.now() - this.#lookedAt >= LOOK_MS) this.#look().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const [name] of this.#nodes) this.#drop(name);
    await this.#looking?.catch(() => {});
    await Promise.all(this.#closing);
  }

  #ownerOf(slot: number): Endpoint | undefined {
    return this.#owners.find(({ first, last }) => first <= slot && slot <= last)?.owner;
  }

  #nodeAt({ host, port }: Endpoint): RedisNode {
    const name = `${host} ${port}`;
    let node = this.#nodes.get(name);
    if (node === undefined) {
      node = new RedisNode(optionsAt(this.#options, { host, port }), { sharded: true });
      this.#nodes.set(name, node);
    }
    return node;
  }

  async #look(): Promise<void> {
    this.#looking ??= this.#lookAround().finally(() => this.#looking = undefined);
    await this.#looking;
  }

  /** Asks one node after the other who has which slot, until one knows. */
  async #lookAround(): Promise<void> {
    this.#lookedAt = performance.now();
    const known = new Map<string, Endpoint>();
    const owners = this.#owners.map(({ owner }) => owner);
    for (const one of [...shuffled(owners), ...shuffled(this.#seeds)]) {
      known.set(`${one.host} ${one.port}`, one);
    }
    let failure: unknown;
    for (const endpoint of known.values()) {
      if (this.#closed) return;
      try {
        this.#learn(await this.#ask(endpoint));
        return;
      } catch (error) {
        failure ??= error;
      }
    }
    throw toRedisFailure(failure, false);
  }

  async #ask(endpoint: Endpoint): Promise<SlotRange[]> {
    const options = optionsAt(this.#options, endpoint);
    const ask = <T>(work: (client: Redis) => Promise<T>) =>
      visitRedis(options, { timeoutMs: options.connectTimeoutMs, work });
    try {
      return await ask(async (client) =>
        readSlots(await client.call("CLUSTER", "SLOTS"), endpoint)
      );
    } catch (error) {
      const failure = toRedisFailure(error, true);
      if (failure.code === "redis_forbidden") {
        options.guard?.heed(failure, { address: options.address, sharded: true, ask });
      }
      throw error;
    }
  }

  #learn(owners: readonly SlotRange[]): void {
    this.#owners = owners;
    const names = new Set(owners.map(({ owner }) => `${owner.host} ${owner.port}`));
    for (const [name] of this.#nodes) if (!names.has(name)) this.#drop(name);
  }

  #drop(name: string): void {
    const node = this.#nodes.get(name);
    this.#nodes.delete(name);
    if (node === undefined) return;
    const closed = node[Symbol.asyncDispose]().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((one) => ({ one, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ one }) => one);
}
