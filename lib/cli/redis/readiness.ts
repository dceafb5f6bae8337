import { setTimeout as pause } from "node:timers/promises";
import { identifyRedis } from "../../redis/identity.ts";
import type { RedisAddress } from "../../redis/options.ts";
import { CliError } from "../cli_error.ts";
import type { Terminal } from "../terminal.ts";
import type { RedisLog } from "./redis_log.ts";
import type { RedisProcess } from "./redis_process.ts";

const SILENCE_MS = 20_000;

/** Options of {@link untilReady}. */
export interface ReadinessOptions {
  readonly address: RedisAddress;
  readonly log: RedisLog;
  /** Told when Redis has much to load. */
  readonly terminal: Terminal;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Waits until a Redis takes commands: as long as it says that it is loading, which may take minutes.
 *
 * @throws {CliError} when it ends, or says nothing for 20 seconds; the last lines of its log are in the advice.
 */
export async function untilReady(redis: RedisProcess, options: ReadinessOptions): Promise<void> {
  const { address, log, terminal, signal } = options;
  let heard = performance.now();
  let told = false;
  while (performance.now() - heard < SILENCE_MS) {
    signal?.throwIfAborted();
    if (!redis.alive) throw notStarted(`it ended (${await redis.ended})`, log);
    const identity = await identifyRedis(address).catch(() => undefined);
    if (identity?.pid === redis.pid) {
      if (!identity.loading) return;
      heard = performance.now();
      if (!told) terminal.err("Redis is loading its data …");
      told = true;
    }
    await pause(identity ? 200 : 10);
  }
  throw notStarted(`it did not answer for ${SILENCE_MS / 1000} seconds`, log);
}

function notStarted(reason: string, log: RedisLog): CliError {
  return new CliError(`Cannot start Redis: ${reason}`, {
    advice: [...log.tail().map((line) => `| ${line}`), `Its log is ${log.path}`],
  });
}
