import assert from "node:assert/strict";
import { Ring } from "../../lib/broker/ring.ts";
import { ZERO } from "../../lib/codec/id.ts";
import { idOf, liveBatch } from "../_support/ids.ts";

const after = (ring: Ring, n: number) => ring.after(idOf(n)).map(({ last }) => last.ms);

Deno.test("Ring gives the frames that end after an id, in order", () => {
  const ring = new Ring({ frames: 10, bytes: 1_000 });
  for (const n of [1, 3, 5]) ring.push(liveBatch("a", n));
  assert.deepEqual(after(ring, 0), [1, 3, 5]);
  assert.deepEqual(after(ring, 2), [3, 5]);
  assert.deepEqual(after(ring, 3), [5]);
  assert.deepEqual(after(ring, 5), []);
});

Deno.test("Ring gives a frame whole where an id lies within it", () => {
  const ring = new Ring({ frames: 10, bytes: 1_000 });
  ring.push(liveBatch("a", 1, 2, 3));
  assert.deepEqual(ring.after(idOf(2)).map(({ batch }) => batch.ids.length), [3]);
});

Deno.test("Ring forgets the oldest beyond its count, and says where it begins", () => {
  const ring = new Ring({ frames: 8, bytes: 1_000_000 });
  for (let n = 1; n <= 100; n++) {
    ring.push(liveBatch("a", n));
    const kept = after(ring, 0);
    assert.ok(kept.length <= 8);
    assert.equal(kept.at(-1), n);
    assert.equal(kept[0], ring.floor.ms + 1);
  }
  assert.notDeepEqual(ring.floor, ZERO);
});

Deno.test("Ring stays within its bytes, even where one frame is larger", () => {
  const ring = new Ring({ frames: 100, bytes: 60 });
  for (let n = 1; n <= 20; n++) ring.push(liveBatch("a", n));
  const { length } = ring.after(ZERO);
  assert.ok(length > 1 && length * liveBatch("a", 10).batch.bytes <= 60, `${length}`);
  ring.push(liveBatch("a", 21, 22, 23, 24, 25, 26, 27, 28, 29, 30));
  assert.deepEqual(ring.after(ZERO), []);
  assert.deepEqual(ring.floor, idOf(30));
  ring.push(liveBatch("a", 31));
  assert.deepEqual(after(ring, 30), [31]);
});

Deno.test("Ring.clear() begins anew at a floor", () => {
  const ring = new Ring({ frames: 10, bytes: 1_000 });
  ring.push(liveBatch("a", 1));
  ring.clear(idOf(7));
  assert.deepEqual([ring.floor, ring.after(ZERO)], [idOf(7), []]);
});
