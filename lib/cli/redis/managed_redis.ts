import { setTimeout as pause } from "node:timers/promises";
import type { RedisAddress } from "../../redis/options.ts";
import { CliError } from "../cli_error.ts";
import type { Terminal } from "../terminal.ts";
import { cutTornTail, describeCut } from "./aof_repair.ts";
import { DataFolder } from "./data_folder.ts";
import { addresses, redisUrl } from "./listening.ts";
import { findOrphan } from "./orphan.ts";
import type { RedisBinary } from "./redis_binary.ts";
import { type RedisProcess, spawnRedis, stopRedis } from "./redis_process.ts";
import { signal } from "./process_table.ts";
import { untilReady } from "./readiness.ts";
import { openLog } from "./redis_log.ts";

/** Options of {@link ManagedRedis.start}. */
export interface ManagedRedisOptions {
  /** The data folder; created where it is missing. */
  readonly dataDir: string;
  readonly binary: RedisBinary;
  /** Told what happens to it. */
  readonly terminal: Terminal;
  /** Gives up a start that is under way. */
  readonly signal?: AbortSignal | undefined;
}

const SLOWEST_RESTART_MS = 5_000;

/** The local Redis that `start` brings along: one for each data folder, restarted whenever it dies. */
export class ManagedRedis implements AsyncDisposable {
  readonly #folder: DataFolder;
  readonly #binary: RedisBinary;
  readonly #terminal: Terminal;
  readonly #address: RedisAddress;
  #process: RedisProcess;
  #stopping = new AbortController();
  #watching: Promise<void>;

  private constructor(run: Run, { binary, terminal }: ManagedRedisOptions) {
    this.#folder = run.folder;
    this.#address = run.address;
    this.#process = run.process;
    this.#binary = binary;
    this.#terminal = terminal;
    this.#watching = this.#watch();
  }

  /**
   * Starts a Redis on the folder, or adopts the one that an earlier run left there, and waits until it takes commands.
   *
   * @throws {CliError} when the folder is in use or Redis does not start; its own words are in the advice.
   */
  static async start(options: ManagedRedisOptions): Promise<ManagedRedis> {
    const folder = await DataFolder.open(options.dataDir);
    try {
      const run = await adopt(folder, options) ?? await startFresh(folder, options);
      folder.writeRecord({ pid: run.process.pid, address: run.address });
      return new ManagedRedis(run, options);
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  /** As `REDIS_URL` takes it. It stays the same when Redis is restarted. */
  get url(): string {
    return redisUrl(this.#address);
  }

  /** Process id of the Redis that runs now. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Stops it and gives the folder free. The data stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopping.signal.aborted) return await this.#watching;
    this.#stopping.abort();
    if (this.#process.alive) await stopRedis(this.#process);
    await this.#watching;
    this.#folder.removeRecord();
    this.#folder[Symbol.dispose]();
  }

  /** Tells it to stop and waits for nothing: for a process that must end at once. */
  stopWithoutWaiting(): void {
    this.#stopping.abort();
    if (this.#process.alive) signal(this.#process.pid, "SIGTERM");
  }

  /** Never rejects: a server whose Redis cannot be started now answers 503 and waits for it. */
  async #watch(): Promise<void> {
    for (let failures = 0;;) {
      const startedAt = performance.now();
      const how = await this.#process.ended;
      if (this.#stopping.signal.aborted) return;
      if (performance.now() - startedAt > 10_000) failures = 0;
      this.#tell(`Redis (process ${this.pid}) ended (${how}): starting it again`);
      do {
        const waitMs = failures === 0 ? 0 : Math.min(200 * 2 ** failures, SLOWEST_RESTART_MS);
        failures++;
        await pause(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
        if (this.#stopping.signal.aborted) return;
      } while (!(await this.#restart()));
    }
  }

  /** Whether Redis runs again; where it does not, the reason is told and nothing is left running. */
  async #restart(): Promise<boolean> {
    let started: RedisProcess | undefined;
    try {
      // Whoever cleaned up may have removed the folder: what was in it is lost, but Redis need not be.
      this.#folder.restore();
      await repair(this.#folder, (text) => this.#tell(text));
      const log = openLog(this.#folder.log);
      const [address, dir] = [this.#address, this.#folder.path];
      started = spawnRedis({ binary: this.#binary, address, dir, log: log.path });
      this.#process = started;
      this.#folder.writeRecord({ pid: started.pid, address });
      const { signal } = this.#stopping;
      await untilReady(started, { address, log, terminal: this.#terminal, signal });
      this.#tell(`Redis runs again (process ${started.pid})`);
      return true;
    } catch (error) {
      if (!this.#stopping.signal.aborted) this.#tell(failureText(error));
      if (started?.alive) await stopRedis(started);
      return false;
    }
  }

  #tell(text: string): void {
    try {
      this.#terminal.err(text);
    } catch {
      // Nobody reads what the server says any more; its Redis is needed all the same.
    }
  }
}

function failureText(error: unknown): string {
  if (error instanceof CliError) return [error.message, ...error.advice].join("\n  ");
  return `Cannot start Redis, trying again: ${error instanceof Error ? error.message : error}`;
}

async function repair(folder: DataFolder, tell: (text: string) => void): Promise<void> {
  const cut = await cutTornTail(folder.path);
  if (cut) tell(describeCut(cut));
}

interface Run {
  readonly folder: DataFolder;
  readonly address: RedisAddress;
  readonly process: RedisProcess;
}

async function adopt(
  folder: DataFolder,
  { terminal, signal }: ManagedRedisOptions,
): Promise<Run | undefined> {
  const orphan = await findOrphan(folder);
  if (!orphan) return undefined;
  const { address, process } = orphan;
  terminal.err(
    `Adopting the Redis (process ${process.pid}) that an earlier run left on ${folder.path}`,
  );
  await untilReady(process, { address, log: openLog(folder.log), terminal, signal });
  return { folder, ...orphan };
}

async function startFresh(
  folder: DataFolder,
  { binary, terminal, signal }: ManagedRedisOptions,
): Promise<Run> {
  let failure: unknown;
  await repair(folder, (text) => terminal.err(text));
  for (const address of addresses(folder.socket)) {
    const log = openLog(folder.log);
    const process = spawnRedis({ binary, address, dir: folder.path, log: log.path });
    folder.writeRecord({ pid: process.pid, address });
    try {
      await untilReady(process, { address, log, terminal, signal });
      return { folder, address, process };
    } catch (error) {
      failure = error;
      if (process.alive) await stopRedis(process);
      // A file system without sockets, or a port that somebody took meanwhile.
      if (!/unix socket|in use|listening/i.test(log.tail().join("\n"))) break;
    }
  }
  folder.removeRecord();
  throw failure;
}
