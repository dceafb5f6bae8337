import { join } from "node:path";
import type { RedisAddress } from "../../redis/options.ts";
import { CliError } from "../cli_error.ts";

/** What is kept about the Redis that was last started on a data folder, so that a later run finds it. */
export interface RedisRecord {
  readonly pid: number;
  readonly address: RedisAddress;
}

/** The folder of the managed Redis, locked for this process: nobody else starts a Redis on it meanwhile. */
export class DataFolder implements Disposable {
  /** Absolute, with symbolic links resolved. */
  readonly path: string;
  #lock: Deno.FsFile;

  private constructor(path: string, lock: Deno.FsFile) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Creates the folder where it is missing, for this user only, and locks it. The lock ends with the process, however
   * that ends.
   *
   * @throws {CliError} when another process has it, or the folder cannot be used.
   */
  static async open(path: string): Promise<DataFolder> {
    try {
      await Deno.mkdir(path, { recursive: true, mode: 0o700 });
      const real = await Deno.realPath(path);
      return new DataFolder(real, takeLock(real));
    } catch (error) {
      if (error instanceof CliError) throw error;
      const reason = error instanceof Error ? error.message : `${error}`;
      throw new CliError(`Cannot use ${path} as the data folder: ${reason}`, {
        advice: ["Name another one: RUNNEL_DATA_DIR=<folder> deno task start"],
        cause: error,
      });
    }
  }

  /**
   * Makes the folder again, and locks it again, where somebody has removed it.
   *
   * @throws {CliError} when another process has made it meanwhile and holds its lock.
   * @throws {Error} when the file system refuses.
   */
  restore(): void {
    Deno.mkdirSync(this.path, { recursive: true, mode: 0o700 });
    if (this.#holdsLock()) return;
    const lock = takeLock(this.path);
    this.#lock.close();
    this.#lock = lock;
  }

  /** Where the Redis of this folder listens, unless the path is too long for a socket. */
  get socket(): string {
    return join(this.path, "redis.sock");
  }

  /** What Redis writes about itself. */
  get log(): string {
    return join(this.path, "redis.log");
  }

  /** The Redis that was started last and not stopped, if any. */
  readRecord(): RedisRecord | undefined {
    return readRecord(this.path);
  }

  /** Remembers a Redis. Synchronous: between its start and this no kill should come. */
  writeRecord(record: RedisRecord): void {
    Deno.writeTextFileSync(this.#record, JSON.stringify(record) + "\n", { mode: 0o600 });
  }

  /** Forgets the Redis, once it has stopped. */
  removeRecord(): void {
    try {
      Deno.removeSync(this.#record);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Gives the folder free. */
  [Symbol.dispose](): void {
    this.#lock.close();
  }

  get #record(): string {
    return recordOf(this.path);
  }

  /** A lock is on the file, not on its name: the file of that name may be another one by now. */
  #holdsLock(): boolean {
    try {
      const [held, named] = [this.#lock.statSync(), Deno.statSync(lockOf(this.path))];
      return held.ino === named.ino && held.dev === named.dev;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
}

function takeLock(folder: string): Deno.FsFile {
  const lock = Deno.openSync(lockOf(folder), { create: true, read: true, write: true });
  try {
    if (!lock.tryLockSync(true)) throw inUse(folder);
    lock.truncateSync(0);
    lock.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
    return lock;
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** The Redis that was started last on a data folder and not stopped, if any; needs no lock. */
export function readRecord(folder: string): RedisRecord | undefined {
  try {
    return JSON.parse(Deno.readTextFileSync(recordOf(folder)));
  } catch {
    // No file, or one that a kill cut short: then nothing is known, as before the first start.
    return undefined;
  }
}

function recordOf(folder: string): string {
  return join(folder, "redis.json");
}

function lockOf(folder: string): string {
  return join(folder, "lock");
}

function inUse(path: string): CliError {
  let holder = "another process";
  try {
    holder = `process ${Number.parseInt(Deno.readTextFileSync(lockOf(path)))}`;
  } catch {
    // It has just ended: the text still says what was wrong.
  }
  return new CliError(`Cannot use ${path} as the data folder: ${holder} is using it`, {
    advice: [
      "Stop that one first, or name another folder and port:",
      "RUNNEL_DATA_DIR=.runnel2 PORT=8001 deno task start",
    ],
  });
}
