import type { ChainableCommander, Redis } from "ioredis";

/** One element of a hash (field and value), a sorted set (member and score) or a set (member and ""). */
export type Member = readonly [member: string, value: string];

/** How a type of key that has elements is read and written, some elements at a time. */
export interface Collection {
  /** Some of the elements, and where to go on; "0" at the end. */
  scan(client: Redis, key: string, cursor: string): Promise<[cursor: string, members: Member[]]>;
  /** The values of some elements; undefined for one that is not there. */
  read(client: Redis, key: string, members: readonly string[]): Promise<(string | undefined)[]>;
  write(pipeline: ChainableCommander, key: string, members: readonly Member[]): void;
  remove(pipeline: ChainableCommander, key: string, members: readonly string[]): void;
}

const COUNT = 500;

/** The collections by what `TYPE` calls them. */
export const COLLECTIONS: Readonly<Record<string, Collection>> = {
  hash: {
    scan: async (client, key, cursor) => pairs(await client.hscan(key, cursor, "COUNT", COUNT)),
    read: async (client, key, members) =>
      (await client.hmget(key, ...members)).map((value) => value ?? undefined),
    write: (pipeline, key, members) => pipeline.hset(key, ...members.flat()),
    remove: (pipeline, key, members) => pipeline.hdel(key, ...members),
  },
  zset: {
    scan: async (client, key, cursor) => pairs(await client.zscan(key, cursor, "COUNT", COUNT)),
    read: async (client, key, members) =>
      (await client.zmscore(key, ...members)).map((score) =>
        score === null ? undefined : `${score}`
      ),
    write: (pipeline, key, members) =>
      pipeline.zadd(key, ...members.flatMap(([member, score]) => [score, member])),
    remove: (pipeline, key, members) => pipeline.zrem(key, ...members),
  },
  set: {
    scan: async (client, key, cursor) => {
      const [next, members] = await client.sscan(key, cursor, "COUNT", COUNT);
      return [next, members.map((member): Member => [member, ""])];
    },
    read: async (client, key, members) =>
      (await client.smismember(key, ...members)).map((is) => Number(is) === 1 ? "" : undefined),
    write: (pipeline, key, members) => pipeline.sadd(key, ...members.map(([member]) => member)),
    remove: (pipeline, key, members) => pipeline.srem(key, ...members),
  },
};

// pairs are flat in RESP2, and nested or not in RESP3
function pairs([cursor, list]: [string, unknown[]]): [string, Member[]] {
  const flat = list.flat().map(String);
  const members: Member[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) members.push([flat[i] ?? "", flat[i + 1] ?? ""]);
  return [cursor, members];
}
