import { identifyRedis } from "../../redis/identity.ts";
import type { RedisAddress } from "../../redis/options.ts";
import { CliError } from "../cli_error.ts";
import type { DataFolder } from "./data_folder.ts";
import { commandLine } from "./process_table.ts";
import { type RedisProcess, stopRedis, watchRedis } from "./redis_process.ts";

/** A Redis that an earlier run left behind on a data folder. */
export interface Orphan {
  readonly address: RedisAddress;
  readonly process: RedisProcess;
}

/** Options of {@link findOrphan}. */
export interface FindOrphanOptions {
  /** How long a Redis that runs may take to answer, in milliseconds. @default 10000 */
  readonly patienceMs?: number;
}

/**
 * Looks for a Redis that still runs on the folder. Two of them would spoil the data, so one that runs without
 * answering is an error. One that keeps data in another way than {@link PERSISTENCE} is stopped.
 *
 * @throws {CliError} when one runs and does not answer.
 */
export async function findOrphan(
  folder: DataFolder,
  { patienceMs = 10_000 }: FindOrphanOptions = {},
): Promise<Orphan | undefined> {
  const record = folder.readRecord();
  if (record && runsAt(record.address, record.pid)) {
    const end = performance.now() + patienceMs;
    while (commandLine(record.pid) !== undefined) {
      const orphan = await meet(folder, record.address);
      if (orphan) return await keepOrStop(orphan);
      if (performance.now() > end) throw deaf(folder, record.pid);
    }
  }
  // The record is only a hint: whoever answers on the folder's own socket holds the folder too.
  const orphan = await meet(folder, { path: folder.socket, tls: false, db: 0 });
  return orphan && await keepOrStop(orphan);
}

interface Met extends Orphan {
  readonly durable: boolean;
}

async function meet(folder: DataFolder, address: RedisAddress): Promise<Met | undefined> {
  try {
    const { pid, dir, appendonly, appendfsync } = await identifyRedis(address);
    if (dir !== folder.path) return undefined;
    const durable = appendonly === "yes" && appendfsync === "always";
    return { address, process: watchRedis(pid), durable };
  } catch {
    // Nobody listens, or nobody answers: which of them it is the caller sees by the process.
    return undefined;
  }
}

async function keepOrStop({ durable, ...orphan }: Met): Promise<Orphan | undefined> {
  if (durable) return orphan;
  await stopRedis(orphan.process);
  return undefined;
}

// Process ids are used again: only one whose title names our address is the Redis that was started here. Redis puts
// `unixsocket:<path>` or `<host>:<port>` into its title; before that its arguments stand there.
function runsAt({ path, host, port }: RedisAddress, pid: number): boolean {
  const line = commandLine(pid) ?? "";
  const place = path === undefined ? [`${host}:${port}`, `--port ${port}`] : [path];
  return place.some((text) => line.includes(text));
}

function deaf(folder: DataFolder, pid: number): CliError {
  return new CliError(
    `Cannot use ${folder.path}: the Redis that runs on it (process ${pid}) does not answer`,
    { advice: [`End it and start again; what was acknowledged is on disk: kill -9 ${pid}`] },
  );
}
