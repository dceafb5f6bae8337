import assert from "node:assert/strict";
import { costBetween } from "./cost.ts";

const BEFORE = { at: 1_000, published: 50, delivered: 7, commits: 5, redis: 2, runnel: 10 };

Deno.test("costBetween() divides CPU time by messages published, not by deliveries", () => {
  const after = { at: 3_000, published: 1_050, delivered: 5_007, commits: 105, redis: 2.01 };
  const cost = costBetween(BEFORE, { ...after, runnel: 10.05 });
  const rounded = Object.fromEntries(
    Object.entries(cost).map(([name, value]) => [name, Math.round(value * 1e6) / 1e6]),
  );
  assert.deepEqual(rounded, {
    cpu: 60,
    redis: 10,
    runnel: 50,
    rate: 500,
    deliveries: 2_500,
    perCommit: 10,
  });
});

Deno.test("costBetween() has no answer where nothing was published", () => {
  assert.throws(() => costBetween(BEFORE, { ...BEFORE, at: 2_000 }), RangeError);
});
