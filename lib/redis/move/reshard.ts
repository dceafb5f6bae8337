import { setTimeout as pause } from "node:timers/promises";
import { DetourFailure, RedisFailure } from "../failure.ts";
import { KeyRecords } from "../key_records.ts";
import { Keys } from "../keys.ts";
import { openAt } from "../open_partition.ts";
import type { RedisOptions } from "../options.ts";
import type { PlacedShard, Placement } from "../placement.ts";
import { Records } from "../records.ts";
import { balance } from "./balance.ts";
import { CoordinatorLock } from "./coordinator_lock.ts";
import { Members } from "./members.ts";
import { movePlan } from "./move_plan.ts";
import { clear, type Farewell, MoveFailure, PartitionMove } from "./partition_move.ts";
import { SplitPlan } from "./split_plan.ts";

/** Options of {@link Reshard}. */
export interface ReshardOptions {
  /** Where the deployment is now, or some of it. */
  readonly from: readonly RedisOptions[];
  /** Where it is to be. */
  readonly to: readonly RedisOptions[];
  readonly prefix: string;
  /** How many partitions there are to be, where there is one now. @default 16 where it goes to several Redis */
  readonly partitions?: number | undefined;
  /** Told what is done. */
  readonly tell: (text: string) => void;
  /** Gives up between two steps; what was done so far stays. */
  readonly signal: AbortSignal;
}

/** What a {@link Reshard} did. */
export interface ReshardResult {
  readonly partitions: number;
  /** Partitions that went to another Redis. */
  readonly moved: number;
  /** The longest time for which nobody could write to a partition, in milliseconds. */
  readonly longestPauseMs: number;
  readonly shards: readonly PlacedShard[];
}

const PARTITIONS = 16;
/** How long what is in the way may stay there, in milliseconds; another coordinator's move is given up in that time. */
const PATIENCE_MS = 30_000;
/** So often it is tried at least: a copy may take longer than that. */
const ATTEMPTS = 3;
const AGAIN_MS = 800;
const TRIES = 10;
/** How long readers may take that were under way at a partition's former place, in milliseconds. */
const GRACE_MS = 3_000;

/** What becomes of a partition that is not at a place any more. */
const HAS_LEFT: ReadonlySet<string> = new Set(["moved", "split"]);

interface Attempt {
  readonly move: PartitionMove;
  readonly farewell: Farewell;
  /** Written down before the partition is given up. */
  readonly announce?: Placement;
}

/** Spreads the partitions of a deployment over other Redis servers while it is in use. It can be begun again at any time. */
export class Reshard implements AsyncDisposable {
  readonly #options: ReshardOptions;
  readonly #records: Records;
  readonly #members: Members;
  readonly #keyRecords: KeyRecords;
  #longestPauseMs = 0;
  #hasBegun = false;

  constructor(options: ReshardOptions) {
    this.#options = options;
    const records = new Records(options.prefix);
    this.#records = records;
    this.#keyRecords = new KeyRecords(options.prefix);
    this.#members = new Members({ ...options, records });
  }

  /** Whether a partition was touched. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /**
   * Does it.
   *
   * @throws {MoveFailure} where somebody else does it, or something is in the way
   * @throws RedisFailure where a Redis cannot be reached, or the signal's reason
   */
  async run(): Promise<ReshardResult> {
    const { tell, signal } = this.#options;
    await this.#members.meet();
    const { shards: members } = this.#members;
    await using lock = await CoordinatorLock.take({
      records: this.#records,
      shards: members,
      tell,
      signal,
    });
    // a shard that is new knows them before it has a partition, and those that are left may go
    await this.#keyRecords.merge(members);
    // another coordinator may have changed it until just now
    const met = await this.#members.placement();
    let placement = await this.#split(await this.#verify(met));
    let moved = 0;
    for (;;) {
      const [move, ...others] = balance(placement.places, this.#members.targetIds);
      if (move === undefined) break;
      signal.throwIfAborted();
      tell(`partition ${move.partition} moves, ${others.length} more to go`);
      placement = await this.#move(placement, move);
      moved++;
      await lock.keep();
    }
    const shards = this.#members.targets;
    placement = await this.#write({ ...placement, epoch: placement.epoch + 1, shards });
    await pause(GRACE_MS);
    await this.#keyRecords.merge(this.#members.shards);
    await this.#clean(placement);
    const { partitions } = placement;
    return { partitions, moved, longestPauseMs: this.#longestPauseMs, shards };
  }

  /** Closes every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#members[Symbol.asyncDispose]();
  }

  /** Follows what an interrupted coordinator has done and not written down. */
  async #verify(placement: Placement): Promise<Placement> {
    const { partitions } = placement;
    const shards = new Map(placement.shards.map((one) => [one.id, one]));
    const places: string[] = [];
    for (const [partition, id] of placement.places.entries()) {
      let at = id;
      const { meta } = this.#keys(partition, partitions);
      for (;;) {
        const node = await this.#members.shardOf(at).nodeOf(meta);
        const [state, to] = await node.run((client) => client.hmget(meta, "state", "to"));
        if (state === "split") return await this.#finishSplit();
        if (state !== "moved") break;
        const [shard = "", token = "", url = ""] = (to ?? "").split(" ");
        at = shard;
        shards.set(shard, { id: shard, url });
        await openAt(await this.#members.shardOf(at).nodeOf(meta), { meta, token });
      }
      places.push(at);
    }
    if (places.every((id, i) => id === placement.places[i])) return placement;
    const epoch = placement.epoch + 1;
    return await this.#write({ ...placement, epoch, places, shards: [...shards.values()] });
  }

  async #move(
    placement: Placement,
    { partition, to }: { partition: number; to: string },
  ): Promise<Placement> {
    const keys = this.#keys(partition, placement.partitions);
    const { url } = this.#members.shardOf(to);
    const { signal } = this.#options;
    const isDone = await this.#untilDone(async (token) => {
      const from = {
        node: await this.#members.shardOf(placement.places[partition] ?? "").nodeOf(keys.meta),
        keys,
      };
      const target = { node: await this.#members.shardOf(to).nodeOf(keys.meta), base: keys.base };
      return {
        move: new PartitionMove({ from, to: [target], planOf: movePlan(target), token, signal }),
        farewell: { state: "moved", to: `${to} ${token} ${url}` },
      };
    });
    // a step before this one took it there, or elsewhere, without anybody hearing of it
    if (!isDone) return await this.#verify(placement);
    const places = placement.places.with(partition, to);
    const shards = placement.shards.some(({ id }) => id === to)
      ? placement.shards
      : [...placement.shards, { id: to, url }];
    return await this.#write({ ...placement, epoch: placement.epoch + 1, places, shards });
  }

  /** Makes several partitions of one. */
  async #split(placement: Placement): Promise<Placement> {
    const { tell, signal } = this.#options;
    const { partitions = this.#members.targets.length > 1 ? PARTITIONS : placement.partitions } =
      this.#options;
    const wanted = placement.partitions === 1 || this.#options.partitions !== undefined
      ? partitions
      : placement.partitions;
    if (wanted === placement.partitions) return placement;
    if (placement.partitions !== 1) {
      const detail = `There are ${placement.partitions} partitions, which stay so many`;
      throw new MoveFailure(`${detail}: only one can be split into several`);
    }
    tell(`the one partition is split into ${wanted}`);
    const keys = this.#keys(0, 1);
    const places = Array.from(
      { length: wanted },
      (_, i) => this.#members.targets[i % this.#members.targets.length]?.id ?? "",
    );
    const shards = this.#members.targets;
    // above whatever an attempt before has announced, to shards that this one may not name
    const announced = await this.#announced();
    const epoch = 1 + Math.max(placement.epoch, ...announced.map((next) => next.epoch));
    const isDone = await this.#untilDone(async (token) => {
      const node = await this.#members.shardOf(placement.places[0] ?? "").nodeOf(keys.meta);
      const to = await Promise.all(places.map(async (id, partition) => {
        const { meta, base } = this.#keys(partition, wanted);
        return { node: await this.#members.shardOf(id).nodeOf(meta), base };
      }));
      const plan = new SplitPlan({ from: { node, base: keys.base }, to });
      return {
        move: new PartitionMove({
          from: { node, keys },
          to,
          planOf: (rest) => plan.planOf(rest),
          token,
          settle: () => plan.settle(),
          signal,
        }),
        // before the step that cannot be taken back: whoever meets it must find this
        announce: { ...placement, epoch, partitions: wanted, places, shards, token },
        farewell: { state: "split", to: `${wanted}` },
      };
    });
    tell(isDone ? "it is" : "it was already");
    return await this.#verify(placement);
  }

  /** What the one partition was to be split into by attempts so far. */
  async #announced(): Promise<Placement[]> {
    const { shards } = this.#members;
    const records = await Promise.all(shards.map((shard) => this.#records.read(shard)));
    return records.flatMap(({ next }) => next ?? []);
  }

  async #finishSplit(): Promise<Placement> {
    const [next] = (await this.#announced()).sort((a, b) => b.epoch - a.epoch);
    if (next === undefined) {
      throw new MoveFailure("The partition was split, and nobody knows into what");
    }
    await this.#openAll(next);
    return await this.#verify(await this.#write(next));
  }

  async #openAll({ partitions, places, token = "" }: Placement): Promise<void> {
    for (const [partition, id] of places.entries()) {
      const { meta } = this.#keys(partition, partitions);
      await openAt(await this.#members.shardOf(id).nodeOf(meta), { meta, token });
    }
  }

  /** Takes a partition elsewhere, from the beginning again where something came between; false where it is not there any more. */
  async #untilDone(begin: (token: string) => Promise<Attempt>): Promise<boolean> {
    let failedAt: number | undefined;
    for (let tries = 1;; tries++) {
      this.#options.signal.throwIfAborted();
      try {
        await this.#attempt(await begin(crypto.randomUUID()));
        return true;
      } catch (error) {
        if (!(error instanceof MoveFailure || error instanceof RedisFailure)) throw error;
        if (error instanceof DetourFailure && HAS_LEFT.has(error.detour.kind)) return false;
        failedAt ??= performance.now();
        if (tries >= ATTEMPTS && performance.now() > failedAt + PATIENCE_MS) throw error;
        if (error instanceof RedisFailure) this.#members.heed(error);
        this.#options.tell(`  again, because: ${error.message}`);
        await pause(AGAIN_MS, undefined, { signal: this.#options.signal });
      }
    }
  }

  async #attempt({ move, farewell, announce }: Attempt): Promise<void> {
    await using own = move;
    this.#hasBegun = true;
    await own.prepare();
    if (announce !== undefined) {
      for (const shard of this.#members.shards) await this.#records.announce(shard, announce);
    }
    try {
      await this.#commit(own, farewell);
    } finally {
      this.#longestPauseMs = Math.max(this.#longestPauseMs, own.longestPauseMs);
    }
  }

  async #commit(move: PartitionMove, farewell: Farewell): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      if (await move.commit(farewell)) return;
      // it is not open again yet
      await pause(AGAIN_MS, undefined, { signal: this.#options.signal });
    }
    throw new MoveFailure("Too much is written to copy the rest in time");
  }

  /** Writes a placement down in every shard that is or was one. */
  async #write(placement: Placement): Promise<Placement> {
    for (const shard of this.#members.shards) await this.#records.place(shard, placement);
    return placement;
  }

  /** Removes what partitions left where they were. */
  async #clean({ partitions, places }: Placement): Promise<void> {
    const former = [
      { partition: 0, partitions: 1 },
      ...places.map((_, partition) => ({
        partition,
        partitions,
      })),
    ];
    for (const shard of this.#members.shards) {
      for (const { partition, partitions: count } of former) {
        const { meta, base } = this.#keys(partition, count);
        const node = await shard.nodeOf(meta);
        const state = await node.run((client) => client.hget(meta, "state"));
        // its last commits stay, for whoever does not know yet whether his was done
        if (state === "moved" || state === "split") await clear({ node, base }, ["meta", "w:"]);
      }
    }
  }

  #keys(partition: number, partitions: number): Keys {
    const { prefix, to: [first] } = this.#options;
    return new Keys({ prefix, partition, partitions, db: first?.address.db ?? 0 });
  }
}
