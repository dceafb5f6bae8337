/** Small statistics for the benchmarks. */

/** Several measurements of one thing. */
export interface Sample {
  readonly median: number;
  readonly lowest: number;
  readonly highest: number;
  readonly rounds: readonly number[];
}

/** Sums up the rounds of one measurement. @throws {RangeError} without any round. */
export function sampleOf(rounds: readonly number[]): Sample {
  const sorted = rounds.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const at = (rank: number) => percentile(sorted, rank / sorted.length);
  return {
    median: (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2,
    lowest: percentile(sorted, 0),
    highest: percentile(sorted, 1),
    rounds,
  };
}

/** The value at a share from 0 to 1 of an ascending list, the nearest rank. @throws {RangeError} on an empty list. */
export function percentile(sorted: readonly number[], share: number): number {
  const value = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (value === undefined) throw new RangeError("Cannot take a percentile of nothing");
  return value;
}
