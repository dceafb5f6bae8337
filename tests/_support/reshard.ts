/** Spreading partitions, in the test's own process. */
import { Reshard, type ReshardResult } from "../../lib/redis/move/reshard.ts";
import { redisOptionsOf } from "./partition.ts";

/** Options of {@link reshardTo}. */
export interface ReshardToOptions {
  readonly from: readonly string[];
  readonly to: readonly string[];
  /** @default what the command does */
  readonly partitions?: number;
  /** What it said goes here. @default nowhere */
  readonly said?: string[];
  /** Has it give up between two steps. @default after two minutes */
  readonly signal?: AbortSignal;
}

/** Spreads the partitions of the prefix `rn` from the first step to the last. */
export async function reshardTo(
  { from, to, partitions, said = [], signal = AbortSignal.timeout(120_000) }: ReshardToOptions,
): Promise<ReshardResult> {
  await using work = new Reshard({
    from: from.map((url) => redisOptionsOf(url)),
    to: to.map((url) => redisOptionsOf(url)),
    prefix: "rn",
    partitions,
    tell: (text) => void said.push(text),
    signal,
  });
  return await work.run();
}
