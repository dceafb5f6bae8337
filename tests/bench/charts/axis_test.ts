import assert from "node:assert/strict";
import { axisOf, logAxis } from "./axis.ts";

Deno.test("axisOf() begins at 0 where numbers are of one size, with round ticks up to the largest", () => {
  const { kind, ticks, at } = axisOf([4_000, 9_000]);
  assert.equal(kind, "linear");
  assert.deepEqual(ticks, [0, 2_500, 5_000, 7_500, 10_000]);
  assert.deepEqual([0, 5_000, 10_000].map(at), [0, 0.5, 1]);
  assert.deepEqual(axisOf([0]).ticks.slice(0, 2), [0, 0.25]);
  assert.throws(() => axisOf([]), RangeError);
});

Deno.test("axisOf() is logarithmic where they are of very different sizes, but never with a 0", () => {
  assert.equal(axisOf([1, 31]).kind, "log");
  assert.equal(axisOf([1, 29]).kind, "linear");
  assert.equal(axisOf([0, 31]).kind, "linear");
});

Deno.test("logAxis() has each power of ten as a tick, and nothing stands beyond its ends", () => {
  const { ticks, at } = logAxis(1, 10_000);
  assert.deepEqual(ticks, [1, 10, 100, 1_000, 10_000]);
  assert.deepEqual([0, 1, 100, 10_000, 100_000].map(at), [0, 0, 0.5, 1, 1]);
  assert.deepEqual(logAxis(0.02, 30).ticks, [0.1, 1, 10]);
  assert.equal(logAxis(5, 5).at(5), 0);
});
