/** Who answers at a Redis address, asked in a way that also a Redis that is still loading answers. */
import type { RedisAddress } from "./options.ts";
import { visitRedis } from "./visit.ts";

/** A running Redis, seen from outside. */
export interface RedisIdentity {
  readonly pid: number;
  /** Its data folder. */
  readonly dir: string;
  readonly appendonly: string;
  readonly appendfsync: string;
  /** Whether it still reads its data from disk and refuses commands. */
  readonly loading: boolean;
}

/** Options of {@link identifyRedis}. */
export interface IdentifyOptions {
  /** Gives up after this many milliseconds. @default 1000 */
  readonly timeoutMs?: number;
}

/**
 * Asks the Redis at an address who it is.
 *
 * @throws {Error} when nothing listens, nothing answers in time, or it refuses the question.
 */
export function identifyRedis(
  address: RedisAddress,
  { timeoutMs = 1_000 }: IdentifyOptions = {},
): Promise<RedisIdentity> {
  const options = {
    address,
    connections: 1,
    connectTimeoutMs: timeoutMs,
    commandTimeoutMs: timeoutMs,
  };
  return visitRedis(options, {
    timeoutMs,
    work: async (redis) => {
      const [info, dir, appendonly, appendfsync] = await Promise.all([
        redis.info(),
        ...["dir", "appendonly", "appendfsync"].map((name) => readConfig(redis, name)),
      ]);
      return {
        pid: Number(/^process_id:(\d+)/m.exec(info)?.[1]),
        dir: dir ?? "",
        appendonly: appendonly ?? "",
        appendfsync: appendfsync ?? "",
        loading: /^loading:1/m.test(info),
      };
    },
  });
}

/** What {@link readConfig} needs of a client. */
interface ConfigReader {
  call(command: string, ...args: string[]): Promise<unknown>;
}

/**
 * One setting of a Redis, undefined where it has no such setting.
 *
 * @throws {Error} when Redis refuses `CONFIG GET`, as many hosted ones do.
 */
export async function readConfig(redis: ConfigReader, name: string): Promise<string | undefined> {
  const reply = await redis.call("CONFIG", "GET", name);
  // RESP3 answers with a map, RESP2 with a flat list.
  if (Array.isArray(reply)) return reply[1] === undefined ? undefined : `${reply[1]}`;
  if (reply instanceof Map) return reply.get(name);
  if (typeof reply !== "object" || reply === null) return undefined;
  const value = Object.entries(reply).find(([key]) => key === name)?.[1];
  return value === undefined ? undefined : `${value}`;
}
