import assert from "node:assert/strict";
import { percentile, sampleOf } from "./statistics.ts";

Deno.test("sampleOf() gives the middle and both ends of the rounds, in any order", () => {
  const { median, lowest, highest } = sampleOf([5, 1, 9]);
  assert.deepEqual([median, lowest, highest], [5, 1, 9]);
  assert.equal(sampleOf([1, 4, 2, 3]).median, 2.5);
  assert.throws(() => sampleOf([]), RangeError);
});

Deno.test("percentile() takes the nearest rank", () => {
  const values = Array.from({ length: 100 }, (_, index) => index);
  assert.deepEqual([percentile(values, 0.5), percentile(values, 0.99)], [50, 99]);
  assert.equal(percentile([7], 0.99), 7);
});
