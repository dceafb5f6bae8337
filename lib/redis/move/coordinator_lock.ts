import { setTimeout as pause } from "node:timers/promises";
import { RedisFailure } from "../failure.ts";
import type { Records } from "../records.ts";
import type { Shard } from "../shard.ts";
import { MoveFailure } from "./partition_move.ts";

/** Options of {@link CoordinatorLock.take}. */
export interface LockOptions {
  readonly records: Records;
  /** All that take part: whoever wants to spread the same deployment needs some of them too. */
  readonly shards: readonly Shard[];
  readonly tell: (text: string) => void;
  readonly signal: AbortSignal;
}

const LOCK_MS = 10_000;
const AGAIN_MS = 800;

/**
 * Keeps other coordinators out until it is disposed. Whoever has lost it finds out at {@link keep}; partitions are protected
 * one by one, so that two who believe to have it do no harm.
 */
export class CoordinatorLock implements AsyncDisposable {
  readonly #options: LockOptions;
  readonly #owner = crypto.randomUUID();
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(options: LockOptions) {
    this.#options = options;
  }

  /**
   * Takes it, as soon as another one that has died is out.
   *
   * @throws {MoveFailure} where another one goes on to have it, or the signal's reason
   */
  static async take(options: LockOptions): Promise<CoordinatorLock> {
    // all in the same order, so that one of two is first everywhere
    const shards = options.shards.toSorted((a, b) => a.url < b.url ? -1 : 1);
    const lock = new CoordinatorLock({ ...options, shards });
    const end = performance.now() + LOCK_MS * 1.2;
    for (let tries = 0; !await lock.#ask(); tries++) {
      // by halves it would only stand in the other's way
      await lock.#giveBack();
      if (performance.now() > end) {
        throw new MoveFailure("Another coordinator spreads this deployment: wait until it is done");
      }
      if (tries === 0) options.tell("Waits for another coordinator, or until it is out");
      await pause(AGAIN_MS * (0.5 + Math.random()), undefined, { signal: options.signal });
    }
    lock.#timer = setInterval(() => void lock.#ask().catch(() => {}), LOCK_MS / 3);
    return lock;
  }

  /**
   * Makes sure that it is still had.
   *
   * @throws {MoveFailure} where another one has it
   */
  async keep(): Promise<void> {
    const isHad = await this.#ask().catch((error) => {
      // of a Redis that is away nobody else can take it
      if (error instanceof RedisFailure) return true;
      throw error;
    });
    if (!isHad) throw new MoveFailure("Another coordinator has taken over");
  }

  /** Gives it up. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#giveBack();
  }

  async #ask(): Promise<boolean> {
    const { records, shards } = this.#options;
    for (const shard of shards) {
      if (!await records.lock(shard, { owner: this.#owner, ms: LOCK_MS })) return false;
    }
    return true;
  }

  async #giveBack(): Promise<void> {
    const { records, shards } = this.#options;
    for (const shard of shards) {
      // where it cannot be given back it runs out
      await records.lock(shard, { owner: this.#owner, ms: 0 }).catch(() => {});
    }
  }
}
