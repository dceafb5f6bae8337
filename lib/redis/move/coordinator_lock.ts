import { setTimeout as pause } from "node:timers/promises";
import type { Records } from "../records.ts";
import type { Shard } from "../shard.ts";
import { MoveFailure } from "./partition_move.ts";

/** Options of {@link CoordinatorLock.take}. */
export interface LockOptions {
  readonly records: Records;
  /** The shard that all coordinators ask. */
  readonly shard: Shard;
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
    const lock = new CoordinatorLock(options);
    const end = performance.now() + LOCK_MS * 1.2;
    for (let tries = 0; !await lock.#ask(); tries++) {
      if (performance.now() > end) {
        throw new MoveFailure("Another coordinator spreads this deployment: wait until it is done");
      }
      if (tries === 0) options.tell("Waits for another coordinator, or until it is out");
      await pause(AGAIN_MS, undefined, { signal: options.signal });
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
    if (!await this.#ask()) throw new MoveFailure("Another coordinator has taken over");
  }

  /** Gives it up. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    const { records, shard } = this.#options;
    await records.unlock(shard, this.#owner).catch(() => {});
  }

  #ask(): Promise<boolean> {
    const { records, shard } = this.#options;
    return records.lock(shard, { owner: this.#owner, ms: LOCK_MS });
  }
}
