/** A look at what the configured shards have written down of their deployment, for `doctor`. It changes nothing. */
import { createShard } from "./create_shard.ts";
import { type RedisFailure, toRedisFailure } from "./failure.ts";
import type { RedisOptions } from "./options.ts";
import type { ShardRecord } from "./placement.ts";
import { Records } from "./records.ts";

/** What one configured shard has written down, or why it cannot be asked. */
export interface SurveyedShard {
  /** Its address without user and password. */
  readonly url: string;
  readonly record: ShardRecord | RedisFailure;
}

/** Reads the records of all configured shards. */
export async function surveyDeployment(
  shards: readonly RedisOptions[],
  prefix: string,
): Promise<SurveyedShard[]> {
  const records = new Records(prefix);
  return await Promise.all(shards.map(async (options) => {
    await using shard = createShard(options);
    try {
      return { url: shard.url, record: await records.read(shard) };
    } catch (error) {
      return { url: shard.url, record: toRedisFailure(error, true) };
    }
  }));
}
