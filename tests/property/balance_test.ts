import assert from "node:assert/strict";
import fc from "fast-check";
import { balance } from "../../lib/redis/move/balance.ts";

const NAMES = ["a", "b", "c", "d", "e"];

Deno.test("balance() leaves as many partitions on each wanted shard as on any other or one less, and moves no more than it must", () => {
  fc.assert(fc.property(
    fc.array(fc.constantFrom(...NAMES, "gone"), { minLength: 1, maxLength: 64 }),
    fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1 }),
    (places, shards) => {
      const after = [...places];
      const moves = balance(places, shards);
      for (const { partition, to } of moves) {
        assert.notEqual(after[partition], to);
        after[partition] = to;
      }
      const counts = shards.map((shard) => after.filter((one) => one === shard).length);
      assert.equal(counts.reduce((a, b) => a + b), places.length);
      assert.ok(Math.max(...counts) - Math.min(...counts) <= 1);
      assert.equal(moves.length, places.length - mostThatCanStay(places, shards));
      assert.deepEqual(balance(after, shards), []);
    },
  ));
});

/** Of the larger shares each goes to a shard that has so many already. */
function mostThatCanStay(places: readonly string[], shards: readonly string[]): number {
  const least = Math.floor(places.length / shards.length);
  const larger = places.length % shards.length;
  const counts = shards.map((shard) => places.filter((one) => one === shard).length);
  const full = counts.filter((count) => count > least).length;
  return counts.reduce((sum, count) => sum + Math.min(count, least), 0) + Math.min(full, larger);
}
