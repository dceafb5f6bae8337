import assert from "node:assert/strict";
import { DATA, MARKS_APART } from "../message.ts";
import { marksIn } from "./marks.ts";

const MESSAGE = JSON.stringify(DATA);

Deno.test("marksIn() counts the messages that began, however much of the last one there is", () => {
  const bytes = new TextEncoder().encode(MESSAGE.repeat(4));
  for (const apart of [1, MARKS_APART]) {
    assert.equal(marksIn(bytes, apart), 4);
    assert.equal(marksIn(bytes.subarray(0, -MARKS_APART + 1), apart), 4);
    assert.equal(marksIn(bytes.subarray(0, -MARKS_APART), apart), 3);
    assert.equal(marksIn(bytes.subarray(MESSAGE.length - 1), apart), 3);
  }
});
