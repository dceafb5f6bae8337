/** What is compared with what, of the things that took turns. */
import type { Row } from "./bench.ts";
import type { LoadLog } from "./load_log.ts";
import { sampleOf } from "./statistics.ts";

/** A row as it is planned, before anything is measured. */
export interface Comparison extends Omit<Row, "runnel" | "baseline"> {
  /** The things measured, by their names. */
  readonly runnel: string;
  readonly baseline: string;
}

/** The rows of what was measured; one whose peer is not installed is left out. */
export function rowsOf(
  comparisons: readonly Comparison[],
  results: Readonly<Record<string, readonly number[]>>,
  log: LoadLog,
): Row[] {
  return comparisons.flatMap((comparison) => {
    const [runnel, baseline] = [results[comparison.runnel], results[comparison.baseline]];
    if (runnel === undefined || baseline === undefined) return [];
    return [{
      ...comparison,
      runnel: sampleOf(runnel),
      baseline: sampleOf(baseline),
      ...log.partOf(comparison.runnel, comparison.baseline),
    }];
  });
}
