import assert from "node:assert/strict";
import { formatCount, formatShort } from "./numbers.ts";

Deno.test("formatCount() says no more digits than a measurement is worth", () => {
  assert.deepEqual([8.214, 41.26, 412.7, 31_415, 1_234_567].map(formatCount), [
    ...["8.21", "41.3", "413", "31,400", "1,230,000"],
  ]);
});

Deno.test("formatShort() says a number in as few characters as can be", () => {
  assert.deepEqual([0, 0.01, 25, 2_500, 1e6, 1.25e6].map(formatShort), [
    ...["0", "0.01", "25", "2.5k", "1M", "1.25M"],
  ]);
});
