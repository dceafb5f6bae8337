import { toRedisFailure } from "./failure.ts";

/**
 * The replies of a pipeline or transaction.
 *
 * @throws the first error among them, or a RedisFailure where the link was lost
 */
export function throwFirst(replies: [error: Error | null, reply: unknown][] | null): unknown[] {
  if (replies === null) throw toRedisFailure(new Error("Connection is closed."), true);
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
