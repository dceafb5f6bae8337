import type { Quantiles } from "../codec/stats.ts";

/** Steps of one decade. */
const STEPS = [1, 1.25, 1.6, 2, 2.5, 3.15, 4, 5, 6.3, 8];

/** Upper bounds of the buckets, in milliseconds: ten to a decade, from 0.1 ms to 10 s. */
export const BOUNDS: readonly number[] = [
  ...[-1, 0, 1, 2, 3].flatMap((decade) =>
    STEPS.map((step) => Number((step * 10 ** decade).toPrecision(3)))
  ),
  10_000,
];

/** How often something took how long, in buckets. Noting costs a few comparisons and no memory. */
export class Histogram {
  /** How many were in each bucket of {@link BOUNDS}; the last are those above all of them. */
  readonly counts = new Float64Array(BOUNDS.length + 1);
  /** Milliseconds in all. */
  sum = 0;
  count = 0;

  /** Notes that something took so many milliseconds, `times` of them. */
  observe(ms: number, times = 1): void {
    const index = bucketOf(ms);
    this.counts[index] = (this.counts[index] ?? 0) + times;
    this.sum += ms * times;
    this.count += times;
  }
}

/** The time that a share of all stayed below, in milliseconds; undefined where there were none. */
export function quantileOf(counts: ArrayLike<number>, share: number): number | undefined {
  let total = 0;
  for (let i = 0; i < counts.length; i++) total += counts[i] ?? 0;
  if (total === 0) return undefined;
  let below = 0;
  for (let i = 0; i < counts.length; i++) {
    const here = counts[i] ?? 0;
    if (here === 0 || below + here < total * share) {
      below += here;
      continue;
    }
    const [low, high] = [BOUNDS[i - 1] ?? 0, BOUNDS[i] ?? BOUNDS.at(-1) ?? 0];
    return low + (high - low) * ((total * share - below) / here);
  }
  return BOUNDS.at(-1);
}

/** What a histogram saw since it was last asked. */
export class HistogramWindow {
  readonly #histogram: Histogram;
  #before: Float64Array;

  constructor(histogram: Histogram) {
    this.#histogram = histogram;
    this.#before = histogram.counts.slice();
  }

  /** Median and 99th percentile since the last call, in milliseconds; null where there was nothing. */
  take(): Quantiles | null {
    const now = this.#histogram.counts.slice();
    const counts = now.map((count, i) => count - (this.#before[i] ?? 0));
    this.#before = now;
    const [p50, p99] = [quantileOf(counts, 0.5), quantileOf(counts, 0.99)];
    return p50 === undefined || p99 === undefined ? null : { p50: rounded(p50), p99: rounded(p99) };
  }
}

function rounded(ms: number): number {
  return Number(ms.toPrecision(3));
}

function bucketOf(ms: number): number {
  let [low, high] = [0, BOUNDS.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ms <= (BOUNDS[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  return low;
}
