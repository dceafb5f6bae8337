import { RunnelError } from "../../errors.ts";
import { describeRedisAddress } from "../../redis/address.ts";
import type { RedisOptions } from "../../redis/options.ts";
import { examineShard } from "./examination.ts";
import { findingLines } from "./finding.ts";

/** Which Redis is the reason of an error, and why, as doctor would say it; nothing where Redis is not the reason. */
export async function failureReasons(
  error: unknown,
  { shards, prefix }: { readonly shards: readonly RedisOptions[]; readonly prefix: string },
): Promise<string[]> {
  if (!(error instanceof RunnelError)) return [];
  // one that is named twice is looked at once, as it was named first
  const each = new Map(shards.toReversed().map((one) => [describeRedisAddress(one.address), one]));
  const findings = await Promise.all(
    [...each.values()].map((one) => examineShard(one, { prefix })),
  );
  return findings.flat().filter(({ level }) => level === "failure").flatMap(findingLines);
}
