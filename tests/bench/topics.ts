/** Topics that the benchmarks publish to. */
import { partitionOf } from "../../lib/codec/partition_of.ts";

/** Names `bench.<n>`, as many in each of the partitions, neighbours in different ones. */
export function spreadTopics({ partitions, each }: { partitions: number; each: number }): string[] {
  const byPartition = Array.from({ length: partitions }, (): string[] => []);
  for (let n = 0; byPartition.some((names) => names.length < each); n++) {
    const names = byPartition[partitionOf(`bench.${n}`, partitions)];
    if (names !== undefined && names.length < each) names.push(`bench.${n}`);
  }
  return Array.from({ length: each }, (_, i) => byPartition.flatMap((names) => names[i] ?? []))
    .flat();
}
