/** A look at the API keys that the configured shards have written down. It changes nothing. */
import type { ApiKey } from "../codec/api_key.ts";
import { createShard } from "./create_shard.ts";
import { KeyRecords, keysOf, newestOf } from "./key_records.ts";
import type { RedisOptions } from "./options.ts";

/**
 * The keys in use, as far as the shards that can be asked know them.
 *
 * @throws the failure of the first where none can be asked
 */
export async function surveyKeys(
  shards: readonly RedisOptions[],
  prefix: string,
): Promise<ApiKey[]> {
  const records = new KeyRecords(prefix);
  const results = await Promise.allSettled(shards.map(async (options) => {
    await using shard = createShard(options);
    return await records.read(shard);
  }));
  const known = results.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
  const failure = results.find((one) => one.status === "rejected");
  if (known.length === 0 && failure !== undefined) throw failure.reason;
  return keysOf([...newestOf(known.flat()).values()]);
}
