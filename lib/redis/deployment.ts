import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { createShard } from "./create_shard.ts";
import { type Detour, toRedisFailure } from "./failure.ts";
import { furtherOptions } from "./further_options.ts";
import { Keys } from "./keys.ts";
import type { RedisOptions } from "./options.ts";
import { PermissionGuard } from "./permission_guard.ts";
import { mixed, newest, type Placement, type ShardRecord } from "./placement.ts";
import { Route } from "./route.ts";
import { Records } from "./records.ts";
import { openAt } from "./open_partition.ts";
import type { Shard } from "./shard.ts";
import type { Site } from "./site.ts";

/** Options of {@link Deployment}. */
export interface DeploymentOptions {
  /** The Redis that are configured, at least one. Of a deployment that is there already any will do. */
  readonly shards: readonly RedisOptions[];
  /** What every key starts with. */
  readonly prefix: string;
  /** How many partitions a new deployment gets. @default 1 on one Redis, else 16 */
  readonly partitions?: number | undefined;
  readonly log: Logger;
  /** What is counted of links and commands. @default nothing */
  readonly metrics?: Metrics;
}

/** A deployment as it stands. */
export interface Layout {
  readonly partitions: number;
  /** What subscriptions' names are signed with. */
  readonly secret: string;
  /** Where each partition is to be found. */
  readonly sites: readonly Site[];
}

/** What is known of one shard. */
export interface ShardState {
  /** Its address without user and password. */
  readonly url: string;
  /** The partitions that are there. */
  readonly partitions: readonly number[];
}

/** Partitions where there are several Redis and nobody said how many. */
const PARTITIONS = 16;
/** After this a process that is asked for something also looks for a newer placement, in milliseconds. */
const LOOK_MS = 30_000;

/**
 * The Redis servers that make one Runnel, and which partition is where. The placement is stored in every one of them: the
 * configuration says where to look, and makes a placement only where there is none, so that two processes with different
 * configurations never keep a partition in two places.
 */
export class Deployment implements AsyncDisposable {
  readonly #options: DeploymentOptions;
  #configured: readonly Shard[];
  readonly #records: Records;
  readonly #byId = new Map<string, Shard>();
  readonly #closing = new Set<Promise<void>>();
  readonly #listeners = new Set<() => void>();
  #placement: Placement | undefined;
  #next: Placement | undefined;
  #layout: Layout | undefined;
  #routes: readonly Route[] = [];
  #opening: Promise<Layout> | undefined;
  #renewing: Promise<void> | undefined;
  #lookedAt = 0;
  #told: { readonly text: string; readonly at: number } | undefined;

  constructor(options: DeploymentOptions) {
    const guard = new PermissionGuard({ log: options.log, prefix: options.prefix });
    const { metrics } = options;
    const counted = metrics === undefined ? {} : { metrics };
    const shards = options.shards.map((shard) => ({ ...shard, guard, ...counted }));
    this.#options = { ...options, shards };
    this.#configured = shards.map(createShard);
    this.#records = new Records(options.prefix);
  }

  /**
   * The layout as it is now. Nothing is asked of Redis before the first call, and nothing again after one that succeeded.
   *
   * @throws RedisFailure where Redis cannot be reached, RunnelError `not_configured` where the servers do not belong
   * together
   */
  async open(): Promise<Layout> {
    const layout = this.opened();
    if (layout !== undefined) return layout;
    this.#opening ??= this.#open()
      .catch((error) => this.#tell(error))
      .finally(() => this.#opening = undefined);
    return await this.#opening;
  }

  /** What {@link open} gives, where it need not be waited for. */
  opened(): Layout | undefined {
    if (this.#layout === undefined) return undefined;
    if (performance.now() - this.#lookedAt > LOOK_MS) void this.renew().catch(() => {});
    return this.#layout;
  }

  /**
   * Looks for a newer placement, and restores it where a shard has lost its copy.
   *
   * @throws RedisFailure where no shard can be reached
   */
  async renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => this.#renewing = undefined);
    await this.#renewing;
  }

  /** Tells of a new layout, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** The shards of the placement, in its order, and what is on each as far as is known. */
  get shards(): ShardState[] {
    return (this.#placement?.shards ?? []).map(({ id, url }) => {
      const shard = this.#shardOf(id, url);
      const partitions = this.#routes.flatMap((route, i) => route.shard === shard ? [i] : []);
      return { url: shard.url, partitions };
    });
  }

  /**
   * The shards of the placement, for what every one of them keeps.
   *
   * @throws as {@link open}
   */
  async placed(): Promise<Shard[]> {
    await this.open();
    return (this.#placement?.shards ?? []).map(({ id, url }) => this.#shardOf(id, url));
  }

  /** Closes every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    const shards = new Set([...this.#byId.values(), ...this.#configured]);
    await Promise.all([...shards].map((shard) => shard[Symbol.asyncDispose]()));
    await Promise.all(this.#closing);
  }

  async #open(): Promise<Layout> {
    const { placement } = await this.#find();
    this.#lookedAt = performance.now();
    return this.#adopt(placement ?? await this.#found());
  }

  /** Says why nothing works, once in a while: whoever asked is answered without the reason, which names hosts. */
  #tell(error: unknown): never {
    // the cause is worded in another way each time
    const [text, now] = [`${error}`, performance.now()];
    if (text !== this.#told?.text || now - this.#told.at > LOOK_MS) {
      this.#told = { text, at: now };
      const shards = this.#configured.map(({ url }) => url);
      this.#options.log.error("Redis cannot be used", { shards, error });
    }
    throw error;
  }

  #adopt(placement: Placement): Layout {
    const { partitions, places, secret, shards } = placement;
    const urls = new Map(shards.map(({ id, url }) => [id, url]));
    const at = places.map((id) => this.#shardOf(id, urls.get(id) ?? ""));
    this.#placement = placement;
    // what was not split keeps its ways, which follow it by themselves but for what cannot tell where it has gone
    if (this.#layout?.partitions === partitions) {
      for (const [number, route] of this.#routes.entries()) route.shard = at[number] ?? route.shard;
    } else {
      this.#routes = at.map((shard, number) => this.#routeTo(shard, { number, partitions }));
    }
    this.#layout = { partitions, secret, sites: this.#routes };
    this.#leaveOthers(new Set(at));
    for (const listener of this.#listeners) listener();
    return this.#layout;
  }

  /** Hangs up where nothing is any more; one that is configured is asked again where nobody else answers. */
  #leaveOthers(placed: ReadonlySet<Shard>): void {
    const left = new Set(
      [...this.#byId.values(), ...this.#configured].filter((one) => !placed.has(one)),
    );
    for (const [id, shard] of this.#byId) if (left.has(shard)) this.#byId.delete(id);
    this.#configured = this.#configured.map((shard, i) => {
      const options = this.#options.shards[i];
      return left.has(shard) && options !== undefined ? createShard(options) : shard;
    });
    for (const shard of left) {
      const closed: Promise<void> = Promise.resolve(shard[Symbol.asyncDispose]())
        .finally(() => this.#closing.delete(closed));
      this.#closing.add(closed);
    }
  }

  #routeTo(shard: Shard, { number, partitions }: { number: number; partitions: number }): Route {
    const { prefix } = this.#options;
    const { meta } = new Keys({ prefix, partition: number, partitions, db: shard.db });
    return new Route({
      key: meta,
      shard,
      follow: (detour) => this.#follow(detour, meta),
      renew: () => this.#recall(number),
      onSplit: () => void this.#followSplit().catch(() => {}),
    });
  }

  /** A shard by its id; one that is not configured is reached as the first one that is. */
  #shardOf(id: string, url: string): Shard {
    let shard = this.#byId.get(id);
    if (shard === undefined) {
      const [first] = this.#options.shards;
      if (first === undefined) throw new TypeError("Cannot reach a shard: none is configured");
      const known = this.#configured.find((one) => one.url === url);
      shard = known ?? createShard(furtherOptions(first, url));
      this.#byId.set(id, shard);
    }
    return shard;
  }

  async #follow(detour: Detour & { readonly kind: "moved" }, meta: string): Promise<Shard> {
    const shard = this.#shardOf(detour.shard, detour.url);
    const node = await shard.nodeOf(meta);
    // whoever moved it may have died before it was opened
    await openAt(node, { meta, token: detour.token });
    return shard;
  }

  /** Places one partition by what is stored. */
  async #recall(number: number): Promise<void> {
    await this.renew();
    const { places = [], shards = [] } = this.#placement ?? {};
    const id = places[number];
    const route = this.#routes[number];
    const url = shards.find((one) => one.id === id)?.url;
    if (id !== undefined && url !== undefined && route !== undefined) {
      route.shard = this.#shardOf(id, url);
    }
  }

  /** The one partition was split: whoever did it may have died before it said so. */
  async #followSplit(): Promise<void> {
    await this.renew();
    const next = this.#next;
    if (next === undefined || next.epoch <= (this.#placement?.epoch ?? 0)) return;
    await this.#finishSplit(next);
    this.#adopt(next);
  }

  async #finishSplit(next: Placement): Promise<void> {
    const { prefix } = this.#options;
    const { partitions, places, shards, token = "" } = next;
    const urls = new Map(shards.map(({ id, url }) => [id, url]));
    await Promise.all(places.map(async (id, partition) => {
      const shard = this.#shardOf(id, urls.get(id) ?? "");
      const { meta } = new Keys({ prefix, partition, partitions, db: shard.db });
      await openAt(await shard.nodeOf(meta), { meta, token });
    }));
    for (const { id, url } of shards) await this.#records.place(this.#shardOf(id, url), next);
  }

  async #renew(): Promise<void> {
    this.#lookedAt = performance.now();
    const { placement: stored, empty } = await this.#find();
    const known = this.#placement;
    const placement = stored ?? known;
    if (placement === undefined) return;
    // it has come back without its data
    for (const { id, url } of placement.shards) {
      const shard = this.#shardOf(id, url);
      if (empty.has(shard)) await this.#records.claim(shard, { id, placement });
    }
    const isNewer = placement.deployment !== known?.deployment || placement.epoch > known.epoch;
    if (isNewer) this.#adopt(placement);
  }

  /** The placement that is stored, undefined where it is certain that there is none; and which shards have none. */
  async #find(): Promise<{ placement: Placement | undefined; empty: ReadonlySet<Shard> }> {
    const placed = [...this.#byId.values()];
    const shards = this.#placement === undefined || placed.length === 0
      ? [...new Set([...placed, ...this.#configured])]
      : placed;
    const answers = await Promise.allSettled(shards.map((shard) => this.#records.read(shard)));
    const records: ShardRecord[] = [];
    const empty = new Set<Shard>();
    let failure: unknown;
    for (const [i, shard] of shards.entries()) {
      const answer = answers[i];
      if (answer?.status !== "fulfilled") {
        failure ??= answer?.reason;
        continue;
      }
      const { shard: id, placement } = answer.value;
      records.push(answer.value);
      if (id !== undefined) this.#byId.set(id, shard);
      if (placement === undefined) empty.add(shard);
    }
    const placement = newest(records);
    this.#next = records.flatMap(({ next }) => next ?? []).sort((a, b) => b.epoch - a.epoch)[0];
    // whoever cannot be asked may have one
    if (placement === undefined && failure !== undefined) throw toRedisFailure(failure, true);
    return { placement, empty };
  }

  /**
   * Makes a placement: the shards are asked in the order of their ids, so that of two processes that do it at once one
   * meets what the other began at the first of them, and goes on with that.
   */
  async #found(): Promise<Placement> {
    const claims = await Promise.all(this.#configured.map(async (shard) => {
      const id = (await this.#records.claim(shard)).shard ?? "";
      this.#byId.set(id, shard);
      return { id, url: shard.url };
    }));
    let placement = await this.#plan(claims);
    for (const { id } of claims.toSorted((a, b) => a.id < b.id ? -1 : 1)) {
      const shard = this.#shardOf(id, "");
      const agreed = (await this.#records.claim(shard, { placement })).placement;
      if (agreed === undefined || agreed.deployment === placement.deployment) continue;
      if (!isAmong(agreed, claims.map(({ id }) => id))) throw mixed();
      placement = agreed;
    }
    const ready = { ...placement, epoch: placement.epoch + 1, ready: true };
    for (const { id } of claims) await this.#records.place(this.#shardOf(id, ""), ready);
    this.#options.log.info("a new deployment begins", {
      partitions: ready.partitions,
      shards: claims.map(({ url }) => url),
    });
    return ready;
  }

  async #plan(shards: readonly { id: string; url: string }[]): Promise<Placement> {
    const older = await this.#olderPartition();
    const several = shards.length > 1 || this.#configured.some(({ sharded }) => sharded);
    const partitions = older === undefined
      ? this.#options.partitions ?? (several ? PARTITIONS : 1)
      : 1;
    const ids = older === undefined ? shards.map(({ id }) => id) : [older];
    return {
      deployment: crypto.randomUUID(),
      epoch: 1,
      ready: false,
      partitions,
      shards,
      places: Array.from({ length: partitions }, (_, number) => ids[number % ids.length] ?? ""),
      secret: secretText(),
    };
  }

  /** The shard with a partition from before there were placements. */
  async #olderPartition(): Promise<string | undefined> {
    const { prefix } = this.#options;
    const { meta } = new Keys({ prefix, partition: 0, db: 0 });
    const found: string[] = [];
    for (const [id, shard] of this.#byId) {
      const node = await shard.nodeOf(meta);
      if (await node.run((client) => client.exists(meta)) === 1) found.push(id);
    }
    if (found.length > 1) throw mixed();
    return found[0];
  }
}

function isAmong({ shards }: Placement, ids: readonly string[]): boolean {
  return shards.length === ids.length && shards.every(({ id }) => ids.includes(id));
}

function secretText(): string {
  return btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32))));
}
