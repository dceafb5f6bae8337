import assert from "node:assert/strict";
import fc from "fast-check";
import { lonePoints, markSpace } from "../../lib/console/overview/chart_marks.ts";
import { figureOf } from "../../lib/console/overview/figure.ts";

Deno.test("lonePoints() finds values between holes, and at the ends", () => {
  assert.deepEqual(lonePoints([1, null, 2, 3, null, 0, null, null, 4]), [0, 5, 8]);
  assert.deepEqual(lonePoints([null, 1, 1, 1]), []);
  assert.deepEqual(lonePoints([]), []);
});

Deno.test("a scale of whatever height has a mark besides 0", () => {
  const steps = [1, 2, 2.5, 5];
  const increments = Array.from({ length: 12 }, (_, i) => steps.map((step) => step * 10 ** i))
    .flat();
  fc.assert(
    fc.property(
      fc.double({ min: 2, max: 1e9, noNaN: true }),
      fc.integer({ min: 20, max: 400 }),
      (most, pixels) => {
        const space = markSpace(pixels);
        const step = increments.find((one) => one * pixels / most >= space) ?? Infinity;
        assert.ok(step <= most, `${step} on a scale to ${most}`);
      },
    ),
  );
});

Deno.test("a figure stays when nothing newer is known, as an old one; a hole that is pointed at is one", () => {
  assert.deepEqual(figureOf([1, 2], undefined), { value: 2, isOld: false });
  assert.deepEqual(figureOf([1, 0, null, null], undefined), { value: 0, isOld: true });
  assert.deepEqual(figureOf([1, null, 3], 1), { value: undefined, isOld: false });
  assert.deepEqual(figureOf([1, null, 3], 0), { value: 1, isOld: false });
  assert.deepEqual(figureOf([null, null], undefined), { value: undefined, isOld: false });
});
