import { setTimeout as pause } from "node:timers/promises";
import type { RedisAddress } from "../../redis/options.ts";
import { CliError } from "../cli_error.ts";
import type { Terminal } from "../terminal.ts";
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

  async #watch(): Promise<void> {
    for (let failures = 0; !this.#stopping.signal.aborted;) {
      const startedAt = performance.now();
      const how = await this.#process.ended;
      if (this.#stopping.signal.aborted) return;
      failures = performance.now() - startedAt > 10_000 ? 0 : failures + 1;
      const waitMs = failures < 2 ? 0 : Math.min(100 * 2 ** failures, SLOWEST_RESTART_MS);
      this.#terminal.err(`Redis (process ${this.pid}) ended (${how}): starting it again`);
      await pause(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
      if (!this.#stopping.signal.aborted) await this.#restart();
    }
  }

  async #restart(): Promise<void> {
    const log = openLog(this.#folder.log);
    this.#process = spawnRedis({
      binary: this.#binary,
      address: this.#address,
      dir: this.#folder.path,
      log: log.path,
    });
    this.#folder.writeRecord({ pid: this.pid, address: this.#address });
    try {
      await untilReady(this.#process, {
        address: this.#address,
        log,
        terminal: this.#terminal,
        signal: this.#stopping.signal,
      });
      this.#terminal.err(`Redis runs again (process ${this.pid})`);
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      // The server goes on and answers 503 meanwhile; the next round tries again.
      const advice = error instanceof CliError ? error.advice : [];
      this.#terminal.err(
        [`${error instanceof Error ? error.message : error}`, ...advice].join("\n  "),
      );
      if (this.#process.alive) await stopRedis(this.#process);
    }
  }
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
