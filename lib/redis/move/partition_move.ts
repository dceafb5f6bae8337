import type { Keys } from "../keys.ts";
import type { RedisNode } from "../node.ts";
import { openAt } from "../open_partition.ts";
import { Script } from "../script.ts";
import { BEGIN_MOVE } from "../scripts/begin_move.lua.ts";
import { FREEZE } from "../scripts/freeze.lua.ts";
import { LEAVE } from "../scripts/leave.lua.ts";
import { RECEIVE } from "../scripts/receive.lua.ts";
import { KeyCopier, type KeyPlan, type Place } from "./key_copier.ts";
import { reachReplicas, type Replication, replicationOf } from "./replication.ts";

const beginScript = new Script(BEGIN_MOVE, "begin_move");
const freezeScript = new Script(FREEZE, "freeze");
const leaveScript = new Script(LEAVE, "leave");
const receiveScript = new Script(RECEIVE, "receive");

/** Options of {@link PartitionMove}. */
export interface PartitionMoveOptions {
  readonly from: { readonly node: RedisNode; readonly keys: Keys };
  /** The places that it goes to. */
  readonly to: readonly Place[];
  readonly planOf: (rest: string) => KeyPlan;
  /** Names this move, and opens what it brought. */
  readonly token: string;
  /** Done while nobody writes and everything is copied. @default nothing */
  readonly settle?: () => Promise<void>;
  /** Ends the copy, with its reason. @default never */
  readonly signal?: AbortSignal;
}

/** Where everybody is sent who looks for the partition at its former place. */
export interface Farewell {
  readonly state: "moved" | "split";
  readonly to: string;
}

/** How long the source waits for a coordinator that says nothing, in milliseconds. */
const LEASE_MS = 10_000;
/** How long nobody can write at the most, in milliseconds: then the source opens again by itself. */
const FREEZE_MS = 700;
/** How long replicas may take for what was just written, in milliseconds. */
const REPLICAS_MS = 200;
/** How often they are given that time to catch up with a whole copy. */
const REPLICAS_TRIES = 25;
const MARKS_A_STEP = 1_000;
/** So many are not left until everything is copied. */
const MANY_MARKS = 20_000;
/** So few are copied in a moment while nobody writes. */
const FEW_MARKS = 300;
/** Where more is written than is copied, only a halt lets the copy catch up. */
const HALTS = 5;
const KEYS_A_STEP = 500;

/** A move cannot go on: somebody else moves the partition, or it is not what it was when the move began. */
export class MoveFailure extends Error {
  override readonly name = "MoveFailure";
}

/**
 * Takes a partition elsewhere while it is in use. It is copied, then what was written meanwhile, again and again, and the
 * rest while nobody writes for a moment; then its former place gives it up, in one step that cannot be taken back, and it
 * is opened where it is now. Until that step nothing has changed, and whoever begins anew may do so at any time.
 */
export class PartitionMove implements AsyncDisposable {
  readonly #options: PartitionMoveOptions;
  readonly #copier: KeyCopier;
  /** The reign of each place, and its replicas, as the copy began: another one may lack some of it. */
  readonly #reigns = new Map<Place, Replication>();
  #generation = 0;
  #keeper: ReturnType<typeof setInterval> | undefined;
  #isOver = false;
  #longestPauseMs = 0;

  constructor(options: PartitionMoveOptions) {
    const { from: { node, keys }, planOf } = options;
    this.#options = options;
    this.#copier = new KeyCopier({ from: { node, base: keys.base }, planOf });
  }

  /** The longest time for which nobody could write, whatever came of it, in milliseconds. */
  get longestPauseMs(): number {
    return this.#longestPauseMs;
  }

  /**
   * Copies everything, and what is written meanwhile, until little is left.
   *
   * @throws {MoveFailure} Another coordinator is at it, or the partition lives at one of the places already.
   * @throws RedisFailure
   */
  async prepare(): Promise<void> {
    const { to, token } = this.#options;
    await this.#begin({ first: true });
    // a copy takes as long as it takes; whether it was kept all the time is seen at the end
    this.#keeper = setInterval(() => void this.#begin().catch(() => {}), LEASE_MS / 4);
    for (const place of to) {
      const { node, base } = place;
      this.#reigns.set(place, await replicationOf(node));
      const keys = [`${base}:meta`];
      const done = await node.run((client) => receiveScript.run(client, { keys, args: [token] }));
      if (Number(done) !== 1) throw new MoveFailure("The partition lives there already");
      await clear(place, ["meta"]);
    }
    for await (const keys of scan(this.#options.from.node, this.#options.from.keys.base)) {
      this.#options.signal?.throwIfAborted();
      const { base } = this.#options.from.keys;
      await this.#copier.copyAll(keys.map((key) => key.slice(base.length + 1)));
      // what is written meanwhile must not pile up at the source
      const marks = await this.#countMarks();
      if (marks > MANY_MARKS) await this.#applyAll(marks);
    }
    await this.#catchUp();
  }

  /**
   * Copies the rest while nobody writes, and has the former place give the partition up. What is left is bounded, so that
   * it can be tried again where it took too long.
   *
   * @returns whether it was; false where it took too long and nothing has changed
   * @throws {MoveFailure} The partition, or a place that it goes to, is not what it was when the move began.
   * @throws RedisFailure as well where it is not known whether the partition was given up
   */
  async commit(farewell: Farewell): Promise<boolean> {
    const { to, token, settle } = this.#options;
    await this.#begin();
    await this.#catchUp();
    for (const place of to) await this.#replicate(place);
    for (const node of [this.#options.from.node, ...to.map((place) => place.node)]) {
      if (!await node.isConfirmed()) {
        throw new MoveFailure("The Sentinels do not stand by the primary of one of the two places");
      }
    }
    const frozenAt = performance.now();
    const times = [FREEZE_MS, LEASE_MS];
    const frozen = await this.#run(freezeScript, [], [token, this.#generation, ...times]);
    if (Number(frozen) !== 1) throw new MoveFailure("The partition is not what it was");
    const isInTime = () => performance.now() - frozenAt <= FREEZE_MS;
    while (isInTime() && await this.#applyMarks() > 0) continue;
    await settle?.();
    const secured = await Promise.all(to.map((place) => this.#secure(place)));
    const hasLeft = secured.every((one) => one) && isInTime() && await this.#leave(farewell);
    if (hasLeft) {
      for (const { node, base } of to) await openAt(node, { meta: `${base}:meta`, token });
    }
    const pauseMs = performance.now() - frozenAt;
    // where it was not given up, it has opened by itself
    this.#longestPauseMs = Math.max(
      this.#longestPauseMs,
      hasLeft ? pauseMs : Math.min(pauseMs, FREEZE_MS),
    );
    return hasLeft;
  }

  /** Lets others move the partition at once, where it was not given up. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#keeper);
    if (this.#isOver || this.#generation === 0) return;
    const { from: { keys }, token } = this.#options;
    // where it cannot be told, they wait
    await this.#run(beginScript, [keys.marks], [token, 0, "0"]).catch(() => {});
  }

  /** Waits until the replicas of a place have nearly all that was copied there. */
  async #replicate(place: Place): Promise<void> {
    for (let tries = 0; tries < REPLICAS_TRIES; tries++) {
      this.#options.signal?.throwIfAborted();
      if (await this.#secure(place)) return;
    }
    throw new MoveFailure("The replicas of the Redis where the partition goes do not keep up");
  }

  /** Makes sure that a place has, and keeps, what was copied there; false where its replicas do not have it in time. */
  async #secure(place: Place): Promise<boolean> {
    const { node, base } = place;
    const begun = this.#reigns.get(place);
    const { id, replicas } = await replicationOf(node);
    if (id !== begun?.id) {
      throw new MoveFailure("The Redis where the partition goes was started or promoted meanwhile");
    }
    if (replicas < begun.replicas) {
      throw new MoveFailure("The Redis where the partition goes has lost a replica meanwhile");
    }
    const mark = { key: `${base}:meta`, field: "to", value: this.#options.token };
    return await reachReplicas(node, { mark, replicas, ms: REPLICAS_MS });
  }

  /** The step that cannot be taken back; false where it came too late. */
  async #leave({ state, to }: Farewell): Promise<boolean> {
    const { from: { node, keys }, token } = this.#options;
    const { replicas } = await replicationOf(node);
    const args = [token, this.#generation, state, to, keys.channels];
    if (Number(await this.#run(leaveScript, [keys.marks], args)) !== 1) return false;
    this.#isOver = true;
    // a replica that is promoted and does not know would let the partition live in two places
    const mark = { key: keys.meta, field: "to", value: to };
    await reachReplicas(node, { mark, replicas, ms: REPLICAS_MS });
    return true;
  }

  async #begin({ first = false } = {}): Promise<void> {
    const { from: { keys }, token } = this.#options;
    const args = [token, LEASE_MS, first ? "1" : "0"];
    const generation = Number(await this.#run(beginScript, [keys.marks], args));
    if (generation < 0) throw new MoveFailure("Another coordinator moves the partition");
    if (this.#generation !== 0 && this.#generation !== generation) {
      throw new MoveFailure("Another generation reigns over the partition");
    }
    this.#generation = generation;
  }

  async #catchUp(): Promise<void> {
    for (let stalled = 0, left = await this.#countMarks(); left > FEW_MARKS && stalled < HALTS;) {
      await this.#applyAll(left);
      const before = left;
      left = await this.#countMarks();
      if (left >= before) stalled++;
    }
  }

  #countMarks(): Promise<number> {
    const { from: { node, keys } } = this.#options;
    return node.run((client) => client.scard(keys.marks));
  }

  /** Brings up to date what so many marks say. */
  async #applyAll(count: number): Promise<void> {
    for (let done = 0; done < count; done += MARKS_A_STEP) {
      this.#options.signal?.throwIfAborted();
      await this.#applyMarks();
    }
  }

  /** Brings up to date what some marks say; resolves with how many there were. */
  async #applyMarks(): Promise<number> {
    const { from: { node, keys } } = this.#options;
    const marks = await node.run((client) => client.spop(keys.marks, MARKS_A_STEP));
    await this.#copier.apply(marks);
    return marks.length;
  }

  #run(script: Script, names: string[], args: (string | number)[]): Promise<unknown> {
    const { from: { node, keys } } = this.#options;
    const claim = node.elected ? "0e" : "0";
    return node.run((client) =>
      script.run(client, { keys: [keys.meta, keys.gens, ...names], args: [claim, ...args] })
    );
  }
}

/** Removes what is at a place, but for keys whose names behind the base begin with one of `keep`. */
export async function clear({ node, base }: Place, keep: readonly string[]): Promise<void> {
  for await (const keys of scan(node, base)) {
    const gone = keys.filter((key) =>
      !keep.some((start) => key.slice(base.length + 1).startsWith(start))
    );
    if (gone.length > 0) await node.run((client) => client.unlink(...gone));
  }
}

async function* scan(node: RedisNode, base: string): AsyncGenerator<string[]> {
  let cursor = "0";
  do {
    const [next, keys] = await node.run((client) =>
      client.scan(cursor, "MATCH", `${base}:*`, "COUNT", KEYS_A_STEP)
    );
    if (keys.length > 0) yield keys;
    cursor = next;
  } while (cursor !== "0");
}
