import assert from "node:assert/strict";
import { Batch, type BatchEncoder } from "../../lib/broker/batch.ts";
import { batchWith, idOf, messageOf } from "../_support/ids.ts";

/** Writes the messages' times, and counts how often it is asked. */
class CountingEncoder implements BatchEncoder {
  calls = 0;

  messages(messages: readonly { time: number }[]): Uint8Array {
    this.calls++;
    return new TextEncoder().encode(messages.map(({ time }) => `${time};`).join(""));
  }

  bodies(messages: readonly { time: number }[]): string[] {
    this.calls++;
    return messages.map(({ time }) => `${time}`);
  }

  withCursors(bodies: readonly string[], cursors: readonly string[]): Uint8Array {
    return new TextEncoder().encode(bodies.map((body, i) => `${body}@${cursors[i]};`).join(""));
  }
}

const everything = { after: idOf(0), most: Infinity, clock: { now: 0 } };
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

Deno.test("Batch writes each format once, however many take the whole of it", () => {
  const batch = batchWith("a", 1, 2, 3);
  const [one, other] = [new CountingEncoder(), new CountingEncoder()];
  for (let i = 0; i < 3; i++) {
    const { bytes, count, last } = batch.encode(one, everything);
    assert.deepEqual([textOf(bytes), count, last], ["1;2;3;", 3, idOf(3)]);
  }
  batch.encode(other, everything);
  assert.deepEqual([one.calls, other.calls], [1, 1]);
});

Deno.test("Batch gives what comes after a cursor, and no more than is wanted", () => {
  const batch = batchWith("a", 1, 2, 3, 4);
  const encoder = new CountingEncoder();
  const part = (after: number, most: number) => {
    const { bytes, count, last } = batch.encode(encoder, {
      after: idOf(after),
      most,
      clock: { now: 0 },
    });
    return [textOf(bytes), count, last];
  };
  assert.deepEqual(part(2, Infinity), ["3;4;", 2, idOf(4)]);
  assert.deepEqual(part(0, 3), ["1;2;3;", 3, idOf(3)]);
  assert.deepEqual(part(1, 1), ["2;", 1, idOf(2)]);
  assert.deepEqual(part(4, Infinity), ["", 0, undefined]);
  assert.deepEqual(part(0, 4), ["1;2;3;4;", 4, idOf(4)]);
});

Deno.test("Batch leaves out what has expired, and moves the cursor over it", () => {
  const messages = [messageOf("a", 1), messageOf("a", 2, 100), messageOf("a", 3, 50)];
  const batch = new Batch([1, 2, 3].map(idOf), messages);
  const at = (now: number) => {
    const { bytes, count, last } = batch.encode(new CountingEncoder(), {
      ...everything,
      clock: { now },
    });
    return [textOf(bytes), count, last];
  };
  assert.deepEqual(at(49), ["1;2;3;", 3, idOf(3)]);
  assert.deepEqual(at(50), ["1;2;", 2, idOf(3)]);
  assert.deepEqual(at(100), ["1;", 1, idOf(3)]);
});

Deno.test("Batch counts no expired message towards the most that is wanted", () => {
  const batch = new Batch([1, 2, 3].map(idOf), [
    messageOf("a", 1, 5),
    messageOf("a", 2),
    messageOf("a", 3),
  ]);
  const { count, last } = batch.encode(new CountingEncoder(), {
    after: idOf(0),
    most: 1,
    clock: { now: 9 },
  });
  assert.deepEqual([count, last], [1, idOf(2)]);
});

Deno.test("Batch of nothing is empty", () => {
  const batch = new Batch([], []);
  assert.deepEqual([batch.last, batch.bytes], [undefined, 0]);
  const { bytes, count, last } = batch.encode(new CountingEncoder(), everything);
  assert.deepEqual([bytes.length, count, last], [0, 0, undefined]);
});
