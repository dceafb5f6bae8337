import assert from "node:assert/strict";
import { hexText } from "../../../lib/console/topic/hex_text.ts";
import {
  binaryPayload,
  binarySize,
  payloadText,
  readMessage,
  readPage,
} from "../../../lib/console/topic/raw_message.ts";

const HEAD = '"id":"17-65536","topic":"a","time":"2026-01-31T12:00:00.500Z"';

Deno.test("readMessage() reads all but the payload, which stays as it was written", () => {
  const text =
    `{${HEAD},"type":"t","key":"k","headers":{"data":"no"},"data":{"n":12345678901234567890}}`;
  const message = readMessage(text);
  assert.equal(message.id, "17-65536");
  assert.equal(message.time, Date.parse("2026-01-31T12:00:00.500Z"));
  assert.equal(message.type, "t");
  assert.equal(message.key, "k");
  assert.deepEqual(message.headers, { data: "no" });
  assert.equal(payloadText(message), '{"n":12345678901234567890}');
  assert.equal(text.slice(message.own).startsWith('"type":'), true);
});

Deno.test("readMessage() reads an ephemeral message, and one whose type comes after its payload", () => {
  const text = `{"id":null,"topic":"a","time":"2026-01-31T12:00:00Z","data":1,"type":"late"}`;
  const message = readMessage(text);
  assert.equal(message.id, null);
  assert.equal(message.type, "late");
});

Deno.test("readMessage() refuses what is no message", () => {
  assert.throws(() => readMessage('{"id":"1-1","topic":"a"}'), SyntaxError);
});

Deno.test("a binary payload has its size, its bytes, and its first bytes", () => {
  for (const length of [0, 1, 2, 3, 4, 100]) {
    const bytes = Uint8Array.from({ length }, (_, i) => i * 7 % 256);
    const base64 = btoa(String.fromCharCode(...bytes));
    const message = readMessage(`{${HEAD},"dataBase64":"${base64}"}`);
    assert.equal(message.isBinary, true);
    assert.equal(binarySize(message), length);
    assert.deepEqual(binaryPayload(message), bytes);
    assert.deepEqual(binaryPayload(message, 2), bytes.subarray(0, 2));
  }
});

Deno.test("readPage() reads messages and the place where the next page begins", () => {
  const page = readPage(`{"messages":[{${HEAD},"data":"]}"},{${HEAD},"data":[2]}],"next":"17-3"}`);
  assert.deepEqual(page.messages.map(payloadText), ['"]}"', "[2]"]);
  assert.equal(page.next, "17-3");
  assert.deepEqual(readPage('{"messages":[]}'), { messages: [] });
});

Deno.test("hexText() shows the place, the bytes, and what is printable of them", () => {
  const lines = hexText(new TextEncoder().encode("0123456789abcdef<\n>")).split("\n");
  assert.equal(
    lines[0],
    "000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  0123456789abcdef",
  );
  assert.match(lines[1] ?? "", /^000010 {2}3c 0a 3e {41}<\.>$/);
});
