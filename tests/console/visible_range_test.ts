import assert from "node:assert/strict";
import { rangeAt } from "../../lib/console/topics/visible_range.ts";

const rows = { count: 100_000, rowHeight: 40 };

Deno.test("rangeAt() takes the rows of the window and some beyond, and never more than there are", () => {
  assert.deepEqual(rangeAt({ top: 0, height: 800 }, rows), { start: 0, end: 28 });
  assert.deepEqual(rangeAt({ top: 40_000, height: 800 }, rows), { start: 992, end: 1_028 });
  assert.deepEqual(rangeAt({ top: -500, height: 800 }, rows), { start: 0, end: 16 });
  assert.deepEqual(rangeAt({ top: 4_000_000, height: 800 }, rows), { start: 99_992, end: 100_000 });
  // below the fold, and above it
  assert.deepEqual(rangeAt({ top: -2_000, height: 800 }, rows), { start: 0, end: 0 });
  assert.deepEqual(rangeAt({ top: 9e9, height: 800 }, rows), { start: 100_000, end: 100_000 });
  assert.deepEqual(rangeAt({ top: 0, height: 800 }, { count: 0, rowHeight: 40 }), {
    start: 0,
    end: 0,
  });
});
