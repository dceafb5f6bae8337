import assert from "node:assert/strict";
import { cursorIn, formatCursor, parseCursor } from "../../lib/codec/cursor.ts";
import { formatId, type Id } from "../../lib/codec/id.ts";

const id = (ms: number, seq = 65_536): Id => ({ ms, seq });

/** Where a cursor stands, as text, with a "?" behind it where it is a guess. */
function at(text: string, number: number, partitions: number): string {
  const cursor = parseCursor(text) ?? assert.fail(text);
  const { id, isGuess } = cursorIn(cursor, { number, partitions });
  return formatId(id) + (isGuess ? "?" : "");
}

Deno.test("parseCursor() reads a bare id, and ids of several partitions with their number", () => {
  assert.deepEqual(parseCursor("7-65536"), { partitions: 1, ids: new Map([[0, id(7)]]) });
  const ids = new Map([[0, id(7)], [3, id(9)]]);
  assert.deepEqual(parseCursor("0.7-65536~3.9-65536~4"), { partitions: 4, ids });
  assert.deepEqual(parseCursor("0.7-65536~3.9-65536"), { partitions: undefined, ids });
  assert.deepEqual(parseCursor("3.9-65536~64")?.ids, new Map([[3, id(9)]]));
});

Deno.test("parseCursor() refuses everything else", () => {
  const wrong = ["", "~", "1", "~4", "0.7-1~~4", "x.7-1~4", "0.7~4", "0.7-1~0", "0.7-1~1"];
  const beyond = ["4.7-1~4", "0.7-1~65", "0.7-1~0.8-1~4", "0.7-1~1.8-1~2.9-1~2", "100.7-1~64"];
  for (const text of [...wrong, ...beyond, "0.7-1~4~4", " 0.7-1~4", "0.7-1~4\n", "-1.7-1~4"]) {
    assert.equal(parseCursor(text), undefined, JSON.stringify(text));
  }
});

Deno.test("formatCursor() writes what parseCursor() reads", () => {
  const ids = new Map([[0, id(1)], [5, id(2, 3)], [15, id(0, 0)]]);
  assert.deepEqual(parseCursor(formatCursor(ids, 16)), { partitions: 16, ids });
});

Deno.test("cursorIn() gives a partition its own id", () => {
  assert.equal(at("7-65536", 0, 1), "7-65536");
  assert.equal(at("0.7-65536~3.9-65536~4", 3, 4), "9-65536");
  assert.equal(at("0.7-65536~3.9-65536", 3, 4), "9-65536");
});

Deno.test("cursorIn() gives all that came of a partition that was split the id it had", () => {
  assert.deepEqual([0, 1, 2, 3].map((p) => at("0.7-1~1.9-1~2", p, 4)), [
    ...["7-1", "9-1", "7-1", "9-1"],
  ]);
  assert.equal(at("7-65536", 5, 16), "7-65536?", "which may also be another partition's own");
});

Deno.test("cursorIn() begins a partition that is not named a little before the others", () => {
  assert.equal(at("0.90000-65536~3.80000-65536~4", 1, 4), "78000-0?");
  assert.equal(at("0.900-65536~4", 1, 4), "0-0?");
  assert.equal(at("0.90000-65536~5.80000-65536~8", 1, 4), "78000-0?", "there were more");
});
