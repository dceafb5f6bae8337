import { createShard } from "../create_shard.ts";
import type { RedisFailure } from "../failure.ts";
import type { RedisOptions } from "../options.ts";
import { mixed, newest, type PlacedShard, type Placement } from "../placement.ts";
import type { Records } from "../records.ts";
import type { Shard } from "../shard.ts";
import { MoveFailure } from "./partition_move.ts";
import { checkRules } from "./reshard_rules.ts";

/** Options of {@link Members}. */
export interface MembersOptions {
  /** Where the deployment is now, or some of it. */
  readonly from: readonly RedisOptions[];
  /** Where it is to be. */
  readonly to: readonly RedisOptions[];
  readonly records: Records;
  readonly prefix: string;
}

interface Member {
  readonly id: string;
  readonly shard: Shard;
}

/** All shards that take part in spreading a deployment: those where it is, and those where it goes. */
export class Members implements AsyncDisposable {
  readonly #options: MembersOptions;
  readonly #members: Member[] = [];
  /** Where partitions are to be. */
  readonly targets: PlacedShard[] = [];

  constructor(options: MembersOptions) {
    this.#options = options;
  }

  /** Their shards. */
  get shards(): Shard[] {
    return this.#members.map(({ shard }) => shard);
  }

  /** The ids of {@link targets}. */
  get targetIds(): string[] {
    return this.targets.map(({ id }) => id);
  }

  /**
   * Gets to know all of them, and makes those that are new members of the deployment.
   *
   * @throws {MoveFailure} where there is none to spread, one of its Redis is not named, it is not to be moved, or the user
   * may not do it
   * @throws RedisFailure where one cannot be reached
   */
  async meet(): Promise<void> {
    const { from, to, records } = this.#options;
    const current = from.map(createShard);
    this.#keep(current);
    for (const [i, shard] of current.entries()) await this.#check(shard, from[i]?.address);
    const known = await Promise.all(current.map((shard) => records.read(shard)));
    const placement = newest(known);
    if (placement === undefined) throw new MoveFailure("There is no deployment to spread yet");
    for (const [i, { shard }] of known.entries()) this.#name(current[i], shard);
    const wanted = to.map(createShard);
    if ([...current, ...wanted].some(({ sharded }) => sharded)) {
      throw new MoveFailure("A Cluster spreads its partitions by itself, by moving its slots");
    }
    if (new Set([...current, ...wanted].map(({ db }) => db)).size > 1) {
      throw new MoveFailure("All Redis must be used with the same database");
    }
    for (const [i, shard] of wanted.entries()) {
      const known = current.find(({ url }) => url === shard.url);
      if (known === undefined) {
        this.#keep([shard]);
        await this.#check(shard, to[i]?.address);
      }
      await this.#admit(known ?? shard, placement);
    }
    const missing = placement.shards.filter(({ id }) => !this.#members.some((m) => m.id === id));
    if (missing.length > 0) {
      const urls = missing.map(({ url }) => url).join(" ");
      throw new MoveFailure(`REDIS_URL does not name all Redis of the deployment: ${urls}`);
    }
  }

  /**
   * The placement as they have it now.
   *
   * @throws {MoveFailure} where none has one any more
   * @throws RedisFailure where one cannot be reached
   */
  async placement(): Promise<Placement> {
    const { records } = this.#options;
    const placement = newest(await Promise.all(this.shards.map((shard) => records.read(shard))));
    if (placement === undefined) throw new MoveFailure("There is no deployment to spread any more");
    return placement;
  }

  /**
   * The shard with an id.
   *
   * @throws {MoveFailure} where none of them has it
   */
  shardOf(id: string): Shard {
    const member = this.#members.find((one) => one.id === id);
    if (member === undefined) throw new MoveFailure("A partition is at a Redis that is not known");
    return member.shard;
  }

  /** Learns from what one of their nodes said of where things are. */
  heed(failure: RedisFailure): void {
    for (const shard of this.shards) shard.heed(failure);
  }

  /** Closes every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.shards.map((shard) => shard[Symbol.asyncDispose]()));
  }

  async #admit(member: Shard, placement: Placement): Promise<void> {
    const record = await this.#options.records.claim(member, { placement });
    if (record.placement?.deployment !== placement.deployment) throw mixed();
    this.#name(member, record.shard);
    const id = this.#members.find((one) => one.shard === member)?.id ?? "";
    if (this.targetIds.includes(id)) throw new MoveFailure("A Redis is named twice");
    this.targets.push({ id, url: member.url });
  }

  async #check(shard: Shard, { username }: { readonly username?: string } = {}): Promise<void> {
    await checkRules(shard, { username, prefix: this.#options.prefix });
  }

  #keep(shards: readonly Shard[]): void {
    for (const shard of shards) this.#members.push({ id: "", shard });
  }

  #name(shard: Shard | undefined, id: string | undefined): void {
    const at = this.#members.findIndex((member) => member.shard === shard);
    if (shard !== undefined && id !== undefined) this.#members[at] = { id, shard };
  }
}
