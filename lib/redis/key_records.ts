import { z } from "zod";
import { type ApiKey, apiKeySchema } from "../codec/api_key.ts";
import { keyRingKey } from "./keys.ts";
import { Script } from "./script.ts";
import { KEEP_KEY } from "./scripts/keep_key.lua.ts";
import type { Shard } from "./shard.ts";

const keepScript = new Script(KEEP_KEY, "keep_key");

const recordSchema = z.strictObject({
  id: z.string(),
  /** When it was written, in milliseconds since 1970; the newest counts. */
  at: z.number(),
  /** When the key was made. */
  createdAt: z.number(),
  /** What a key was called that was revoked. */
  name: z.string().optional(),
  /** Absent where it was revoked. */
  key: apiKeySchema.optional(),
});

/** What is known of one API key: the key, or that it was revoked. */
export type KeyRecord = Readonly<z.infer<typeof recordSchema>>;

/**
 * API keys as shards have them written down: each has all of them, so that they stay whatever partitions move where.
 * Methods reject with a RedisFailure.
 */
export class KeyRecords {
  readonly #key: string;

  constructor(prefix: string) {
    this.#key = keyRingKey(prefix);
  }

  /** Reads what a shard knows. */
  async read(shard: Shard): Promise<KeyRecord[]> {
    const node = await shard.nodeOf(this.#key);
    const fields = await node.run((client) => client.hgetall(this.#key));
    // what cannot be read is no key: somebody else has written it
    return Object.values(fields).flatMap((text) => readRecord(text) ?? []);
  }

  /** Writes something down that is not known to a shard, or not so new. */
  async keep(shard: Shard, record: KeyRecord): Promise<void> {
    const node = await shard.nodeOf(this.#key);
    const args = [record.id, JSON.stringify(record), record.at];
    await node.run((client) => keepScript.run(client, { keys: [this.#key], args }));
  }

  /**
   * What some shards know together, once all that can be reached know as much.
   *
   * @throws the failure of the first where none can be reached
   */
  async merge(shards: readonly Shard[]): Promise<KeyRecord[]> {
    const results = await Promise.allSettled(shards.map((shard) => this.read(shard)));
    const known = results.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    const failure = results.find((one) => one.status === "rejected");
    if (known.length === 0 && failure !== undefined) throw failure.reason;
    const newest = newestOf(known.flat());
    await this.#level(shards, { results, newest });
    return [...newest.values()];
  }

  async #level(
    shards: readonly Shard[],
    { results, newest }: {
      results: readonly PromiseSettledResult<KeyRecord[]>[];
      newest: ReadonlyMap<string, KeyRecord>;
    },
  ): Promise<void> {
    const missing = shards.flatMap((shard, i) => {
      const result = results[i];
      if (result?.status !== "fulfilled") return [];
      const times = new Map(result.value.map(({ id, at }) => [id, at]));
      return [...newest.values()]
        .filter(({ id, at }) => (times.get(id) ?? -1) < at)
        .map((record) => this.keep(shard, record));
    });
    // the next who reads tries again
    await Promise.allSettled(missing);
  }
}

/** The newest record of each key, by its id. */
export function newestOf(records: readonly KeyRecord[]): Map<string, KeyRecord> {
  const newest = new Map<string, KeyRecord>();
  for (const record of records) {
    const other = newest.get(record.id);
    if (other === undefined || record.at > other.at) newest.set(record.id, record);
  }
  return newest;
}

/** The keys that are in use, of records. */
export function keysOf(records: readonly KeyRecord[]): ApiKey[] {
  return records.flatMap(({ key }) => key ?? []);
}

function readRecord(text: string): KeyRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
