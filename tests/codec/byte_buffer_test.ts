import assert from "node:assert/strict";
import { ByteBuffer } from "../../lib/codec/byte_buffer.ts";

Deno.test("ByteBuffer gives back what was appended, and is empty after that", () => {
  const buffer = new ByteBuffer();
  const parts = [1, 3000, 0, 2, 9000].map((length, i) => new Uint8Array(length).fill(i + 1));
  for (const part of parts) buffer.append(part);
  assert.equal(buffer.length, 12_003);
  assert.deepEqual([...buffer.take()], parts.flatMap((part) => [...part]));
  assert.equal(buffer.length, 0);
  assert.equal(buffer.take().length, 0);
});

Deno.test("ByteBuffer copies, so that a chunk may be used again", () => {
  const buffer = new ByteBuffer();
  const chunk = Uint8Array.of(1);
  buffer.append(chunk);
  chunk[0] = 9;
  assert.deepEqual([...buffer.take()], [1]);
});
