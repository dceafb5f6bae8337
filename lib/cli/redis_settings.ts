import { type Config, loadConfig } from "../config.ts";
import type { RedisOptions } from "../redis/options.ts";
import { CliError } from "./cli_error.ts";
import { readRecord } from "./redis/data_folder.ts";
import { redisUrl } from "./redis/listening.ts";
import { readSettings } from "./settings.ts";

/** A configuration that says where Redis is. */
export type RedisSettings = Config & { readonly redis: readonly RedisOptions[] };

/**
 * The configuration for a command that talks to Redis itself: that of the environment, and where it names no Redis, the one
 * that `deno task start` keeps.
 *
 * @throws {CliError} with every problem of the environment, or where neither is there.
 */
export function readRedisSettings(): RedisSettings {
  const settings = readSettings();
  const { redis = ofManaged(settings.dataDir) } = settings;
  return { ...settings, redis };
}

function ofManaged(dataDir: string): readonly RedisOptions[] {
  const record = readRecord(dataDir);
  const url = record === undefined ? undefined : redisUrl(record.address);
  const { redis } = url === undefined ? {} : loadConfig(
    (name) => name === "REDIS_URL" ? url : Deno.env.get(name),
    Deno.readTextFileSync,
  );
  if (redis !== undefined) return redis;
  throw new CliError("Cannot find Redis", {
    advice: ["Set REDIS_URL to it, or run this while deno task start runs"],
  });
}
