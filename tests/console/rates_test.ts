import assert from "node:assert/strict";
import { addSample, ratesOf, type Sample, sparkPath } from "../../lib/console/topics/rates.ts";

const samplesOf = (...pairs: readonly (readonly [at: number, count: number])[]) =>
  pairs.reduce<readonly Sample[]>((all, [at, count]) => addSample(all, { at, count }), []);

Deno.test("ratesOf() says how many came in a second between each two looks", () => {
  assert.deepEqual(ratesOf(samplesOf([0, 5], [2_000, 9], [4_000, 9])), [2, 0]);
});

Deno.test("ratesOf() knows nothing of a time in which nobody looked", () => {
  assert.deepEqual(ratesOf(samplesOf([0, 0], [2_000, 2], [3_600_000, 4], [3_602_000, 8])), [
    ...[1, null, 2],
  ]);
});

Deno.test("addSample() begins anew with a topic that was deleted meanwhile, and keeps two minutes", () => {
  assert.deepEqual(samplesOf([0, 900], [2_000, 3]), [{ at: 2_000, count: 3 }]);
  const many = Array.from({ length: 200 }, (_, i) => [i * 2_000, i] as const);
  const kept = samplesOf(...many);
  assert.equal(kept.length, 60);
  assert.equal(kept.at(-1)?.count, 199);
});

Deno.test("sparkPath() ends at the right, stays in its box, and lifts the pen over a hole", () => {
  const box = { width: 58, height: 10 };
  assert.equal(sparkPath([], box), "");
  assert.equal(sparkPath([0, 2, null, 1, 4], box), "M54 10L55 5M57 7.5L58 0");
});
