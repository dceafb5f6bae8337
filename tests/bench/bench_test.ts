import assert from "node:assert/strict";
import { takeTurns } from "./bench.ts";

Deno.test("takeTurns() begins each round with the one that the last ended with", async () => {
  const order: string[] = [];
  const thing = (name: string) => () => Promise.resolve(order.push(name));
  const options = { rounds: 3, seconds: 1, say: () => {} };
  const results = await takeTurns(options, { a: thing("a"), b: thing("b") });
  assert.deepEqual(order, ["a", "b", "b", "a", "a", "b"]);
  assert.deepEqual(results, { a: [1, 4, 5], b: [2, 3, 6] });
});
