import assert from "node:assert/strict";
import { longestPause } from "./pauses.ts";

Deno.test("longestPause() is the longest time without an arrival of one topic", () => {
  const times = [["a", 0], ["b", 10], ["a", 20], ["a", 50], ["b", 100]] as const;
  assert.equal(longestPause(times.map(([topic, at]) => ({ topic, at }))), 90);
});

Deno.test("longestPause() of nothing is none", () => {
  assert.equal(longestPause([]), 0);
  assert.equal(longestPause([{ topic: "a", at: 7 }]), 0);
});
