import assert from "node:assert/strict";
import { BOUNDS, Histogram, HistogramWindow, quantileOf } from "../../lib/metrics/histogram.ts";

Deno.test("Histogram puts each time into the bucket whose bound it does not exceed", () => {
  assert.deepEqual(BOUNDS, BOUNDS.toSorted((a, b) => a - b));
  assert.deepEqual([BOUNDS[0], BOUNDS.at(-1), BOUNDS.length], [0.1, 10_000, 51]);
  for (const [i, bound] of BOUNDS.entries()) {
    const histogram = new Histogram();
    histogram.observe(bound);
    histogram.observe(bound * 1.0001, 2);
    assert.equal(histogram.counts[i], 1, `${bound}`);
    assert.equal(histogram.counts[i + 1], 2, `${bound}`);
    assert.equal(histogram.count, 3);
  }
  const histogram = new Histogram();
  histogram.observe(0);
  histogram.observe(1e9);
  assert.deepEqual([histogram.counts[0], histogram.counts.at(-1)], [1, 1]);
  assert.equal(histogram.sum, 1e9);
});

Deno.test("quantileOf() is within a bucket of the true value", () => {
  const histogram = new Histogram();
  for (let ms = 1; ms <= 1_000; ms++) histogram.observe(ms);
  const near = (share: number) => quantileOf(histogram.counts, share) ?? NaN;
  for (const share of [0.01, 0.5, 0.9, 0.99]) {
    const ratio = near(share) / (share * 1_000);
    assert.ok(ratio > 0.75 && ratio < 1.3, `${share}: ${near(share)}`);
  }
  assert.equal(quantileOf(new Histogram().counts, 0.5), undefined);
});

Deno.test("HistogramWindow tells of what came since it was asked last", () => {
  const histogram = new Histogram();
  histogram.observe(5_000);
  const window = new HistogramWindow(histogram);
  assert.equal(window.take(), null);
  for (let i = 0; i < 100; i++) histogram.observe(1);
  const { p50, p99 } = window.take() ?? { p50: NaN, p99: NaN };
  assert.ok(p50 > 0.8 && p50 <= 1 && p99 >= p50 && p99 <= 1, `${p50} ${p99}`);
  assert.equal(window.take(), null);
});
