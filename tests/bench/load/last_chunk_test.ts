import assert from "node:assert/strict";
import { LastChunk } from "./last_chunk.ts";

const encoder = new TextEncoder();
const BODY = encoder.encode(`10\r\ndata: {"n":0}\r\n\r\n\r\n6\r\n: 0\r\n\n\r\n0\r\n\r\n`);

Deno.test("LastChunk sees the end of a body wherever the reads cut it, and not before", () => {
  for (let size = 1; size <= BODY.length; size++) {
    const lastChunk = new LastChunk();
    const ends = [];
    for (let at = 0; at < BODY.length; at += size) {
      if (lastChunk.endsIn(BODY.subarray(at, at + size))) ends.push(at + size);
    }
    assert.equal(ends.length, 1, `${size} bytes a read`);
    assert.ok(ends[0]! >= BODY.length);
  }
});

Deno.test("LastChunk sees it behind a chunk whose end was read before", () => {
  assert.ok(new LastChunk().endsIn(encoder.encode("0\r\n\r\n")));
  assert.ok(new LastChunk().endsIn(encoder.encode("\r\n0\r\n\r\n")));
  assert.ok(!new LastChunk().endsIn(encoder.encode("10\r\n\r\n")));
});
