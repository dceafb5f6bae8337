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

/** A list of names and values, or what RESP3 makes of it. */
export function fieldsOf(reply: unknown): Map<string, string> {
  const flat = Array.isArray(reply)
    ? reply
    : typeof reply === "object" && reply !== null
    ? Object.entries(reply).flat()
    : [];
  const fields = new Map<string, string>();
  for (let i = 0; i + 1 < flat.length; i += 2) fields.set(`${flat[i]}`, `${flat[i + 1]}`);
  return fields;
}
