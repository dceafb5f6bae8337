/** A look at one Redis for `doctor`: what it is, how it is set up, and whether a message gets through it. */
import type { Redis } from "ioredis";
import { readConfig } from "./identity.ts";
import { type Answer, ask } from "./answer.ts";
import type { RedisOptions } from "./options.ts";
import type { SlotRange } from "./slots.ts";
import { type TrialNames, trialNames } from "./trial_names.ts";
import { visitRedis } from "./visit.ts";

/** The settings that decide whether messages survive. */
export interface PersistenceSettings {
  readonly appendonly: string;
  readonly appendfsync: string;
  readonly save: string;
  readonly maxmemoryPolicy: string;
  /** Replicas without which it takes no writes; 0 where it does not ask for any. */
  readonly minReplicasToWrite: number;
  /** Seconds of silence after which a replica counts no more; 0 lets all of them count always. */
  readonly minReplicasMaxLag: number;
}

/** What an {@link inspectRedis} found. */
export interface RedisInspection {
  /** `redis` or `valkey`. */
  readonly server: string;
  readonly version: string;
  /** `master`, `slave`, or `sentinel`. */
  readonly role: string;
  /** `standalone`, `cluster`, or `sentinel`. */
  readonly mode: string;
  readonly loading: boolean;
  /** Replicas that are connected. */
  readonly replicas: number;
  /** Whether the last write of the AOF and the last snapshot went well. */
  readonly lastAofWriteOk: boolean;
  readonly lastSnapshotOk: boolean;
  readonly settings: Answer<PersistenceSettings>;
  /** The replication id, as scripts see it. */
  readonly replicationIdInScripts: Answer<string>;
  /** Milliseconds from storing and publishing an entry until it has been read and received. */
  readonly roundTripMs: Answer<number>;
}

/** Options of {@link inspectRedis}. */
export interface InspectOptions {
  /** Key prefix: what is tried is tried where Runnel's keys are. */
  readonly prefix: string;
  /** The slots of a node of a Cluster, since what is tried must be tried in its own. @default none, it is no such node */
  readonly slots?: readonly Pick<SlotRange, "first" | "last">[];
  /** Gives up after this many milliseconds. @default 5000 */
  readonly timeoutMs?: number;
}

/**
 * Looks at a Redis. What it stores for that is removed again.
 *
 * @throws {Error} what the client says when Redis cannot be reached or refuses `INFO`.
 */
export function inspectRedis(
  options: RedisOptions,
  { prefix, slots, timeoutMs = 5_000 }: InspectOptions,
): Promise<RedisInspection> {
  const names = trialNames(prefix, { db: options.address.db, slots });
  return visitRedis(options, {
    timeoutMs,
    work: async (redis) => {
      const info = parseInfo(await redis.info());
      const valkey = info.get("valkey_version");
      return {
        server: valkey === undefined ? "redis" : "valkey",
        version: valkey ?? info.get("redis_version") ?? "unknown",
        role: info.get("role") ?? "unknown",
        mode: info.get("redis_mode") ?? info.get("server_mode") ?? "unknown",
        loading: info.get("loading") === "1",
        replicas: Number(info.get("connected_slaves") ?? 0),
        lastAofWriteOk: info.get("aof_last_write_status") !== "err",
        lastSnapshotOk: info.get("rdb_last_bgsave_status") !== "err",
        settings: await ask(() => readSettings(redis)),
        replicationIdInScripts: await ask(() => readReplicationId(redis, names)),
        roundTripMs: await ask(() => roundTrip(redis, { names, options, timeoutMs })),
      };
    },
  });
}

function parseInfo(text: string): Map<string, string> {
  const fields = text.split("\r\n").filter((line) => line.includes(":"));
  return new Map(fields.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1)];
  }));
}

async function readSettings(redis: Redis): Promise<PersistenceSettings> {
  const read = async (name: string) => await readConfig(redis, name) ?? "unknown";
  return {
    appendonly: await read("appendonly"),
    appendfsync: await read("appendfsync"),
    save: await read("save"),
    maxmemoryPolicy: await read("maxmemory-policy"),
    minReplicasToWrite: Number(await readConfig(redis, "min-replicas-to-write") ?? 0),
    minReplicasMaxLag: Number(await readConfig(redis, "min-replicas-max-lag") ?? 0),
  };
}

// Every script of Runnel compares this id; ACL rules call INFO dangerous and may forbid it.
async function readReplicationId(redis: Redis, { key }: TrialNames): Promise<string> {
  const text = `${await redis.eval("return redis.call('INFO', 'replication')", 1, key)}`;
  const id = /^master_replid:(\w+)/m.exec(text)?.[1];
  if (id === undefined) throw new Error("INFO replication names no master_replid");
  return id;
}

interface Trip {
  readonly names: TrialNames;
  readonly options: RedisOptions;
  readonly timeoutMs: number;
}

/** Stores an entry and publishes it, as a publish does, and waits for both to come back. */
function roundTrip(redis: Redis, { names, options, timeoutMs }: Trip): Promise<number> {
  const { token, key, channel, sharded } = names;
  return visitRedis(options, {
    timeoutMs,
    work: async (subscriber) => {
      const event = sharded ? "smessage" : "message";
      const received = new Promise((resolve) => subscriber.once(event, resolve));
      await (sharded ? subscriber.ssubscribe(channel) : subscriber.subscribe(channel));
      const startedAt = performance.now();
      const id = await redis.xadd(key, "*", "m", token);
      try {
        await (sharded ? redis.spublish(channel, token) : redis.publish(channel, token));
        const [entry] = await redis.xrange(key, "-", "+");
        if (entry?.[0] !== id) throw new Error("The entry that was stored could not be read");
        await received;
        return performance.now() - startedAt;
      } finally {
        await redis.del(key);
      }
    },
  });
}
