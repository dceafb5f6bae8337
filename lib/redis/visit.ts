/** One short-lived connection to Redis, for looking at it from outside. */
import { Redis } from "ioredis";
import { clientOptions } from "./connection.ts";
import { tolerateLateErrors } from "./late_errors.ts";
import type { RedisOptions } from "./options.ts";

/**
 * Connects, does the work, and closes the connection again. A Redis that is still loading is visited too.
 *
 * @throws {Error} what connecting or a command failed with; after `timeoutMs` in all, that nothing answered; the signal's
 *   reason
 */
export async function visitRedis<T>(
  options: RedisOptions,
  { timeoutMs, work, signal }: {
    timeoutMs: number;
    work: (redis: Redis) => Promise<T>;
    signal?: AbortSignal;
  },
): Promise<T> {
  signal?.throwIfAborted();
  const redis = new Redis({ ...clientOptions(options), retryStrategy: () => null });
  let reason: unknown;
  // connect() itself only says "Connection is closed."
  redis.on("error", (error) => reason ??= error);
  tolerateLateErrors(redis);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new VisitTimeout(timeoutMs)), timeoutMs);
  const stop = () => reject(signal?.reason);
  signal?.addEventListener("abort", stop);
  const visit = redis.connect()
    // the client goes on in database 0 where it may not choose another
    .then(() => options.address.db === 0 ? undefined : redis.select(options.address.db))
    .then(() => work(redis));
  try {
    return await Promise.race([visit, late]);
  } catch (error) {
    throw reason ?? error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
    await leave(redis);
    // Where time ran out, the work fails now; nobody waits for it any more.
    visit.catch(() => {});
  }
}

async function leave(redis: Redis): Promise<void> {
  if (redis.status === "end") return;
  const ended = new Promise((resolve) => redis.once("end", resolve));
  redis.disconnect();
  await ended;
}

/** Nothing answered in time, although something may have taken the connection. */
export class VisitTimeout extends Error {
  override readonly name = "VisitTimeout";

  constructor(readonly timeoutMs: number) {
    super(`No answer within ${timeoutMs} ms`);
  }
}
