import assert from "node:assert/strict";
import { FrameCounter, textFrame } from "./socket_frames.ts";

const encoder = new TextEncoder();

/** A frame as a server sends it. */
function frame(text: string): number[] {
  const payload = encoder.encode(text);
  const length = payload.length < 126
    ? [payload.length]
    : [126, payload.length >> 8, payload.length & 255];
  return [0x81, ...length, ...payload];
}

const STREAM = new Uint8Array([
  ...frame(`42["message","short"]`),
  ...frame("2"),
  ...frame(`42["message","${"long ".repeat(100)}"]`),
  ...frame(`42["message","${"2".repeat(100)}"]`),
]);

Deno.test("FrameCounter counts messages and pings, wherever the reads cut them", () => {
  for (const size of [1, 2, 3, 7, 64, STREAM.length]) {
    const counter = new FrameCounter();
    const total = { messages: 0, pings: 0 };
    for (let at = 0; at < STREAM.length; at += size) {
      const { messages, pings } = counter.take(STREAM.subarray(at, at + size));
      total.messages += messages;
      total.pings += pings;
    }
    assert.deepEqual(total, { messages: 3, pings: 1 }, `${size} bytes a read`);
  }
});

Deno.test("FrameCounter counts a message when its last byte came, not before", () => {
  const counter = new FrameCounter();
  const bytes = new Uint8Array(frame(`42["message"]`));
  assert.equal(counter.take(bytes.subarray(0, -1)).messages, 0);
  assert.equal(counter.take(bytes.subarray(-1)).messages, 1);
});

Deno.test("FrameCounter refuses the frame with which a server says goodbye", () => {
  assert.throws(() => new FrameCounter().take(new Uint8Array([0x88, 2, 3, 232])), /136 2/);
});

Deno.test("textFrame() is masked, as a client's frames must be", () => {
  assert.deepEqual([...textFrame("40")], [0x81, 0x82, 0, 0, 0, 0, 52, 48]);
});
