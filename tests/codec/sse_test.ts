import assert from "node:assert/strict";
import { messageBody } from "../../lib/codec/message.ts";
import { sseEvent, sseMessage } from "../../lib/codec/sse.ts";

const stored = (body: string) => ({ id: "5-1", topic: "a", time: 0, body });

Deno.test("sseEvent() writes each field on a line and ends with a blank one", () => {
  assert.equal(
    sseEvent({ comment: "hi", retry: 1000, event: "e", id: "1-1", data: "d" }),
    ": hi\nretry: 1000\nevent: e\nid: 1-1\ndata: d\n\n",
  );
});

Deno.test("sseEvent() writes an id alone, which moves the cursor without an event", () => {
  assert.equal(sseEvent({ id: "1-1" }), "id: 1-1\n\n");
});

Deno.test("sseEvent() writes nothing for nothing", () => {
  assert.equal(sseEvent({}), "");
});

Deno.test("sseEvent() splits data and comments on every form of line break", () => {
  assert.equal(
    sseEvent({ data: "a\nb\rc\r\nd\n" }),
    "data: a\ndata: b\ndata: c\ndata: d\ndata: \n\n",
  );
  assert.equal(sseEvent({ comment: "a\nevent: x" }), ": a\n: event: x\n\n");
});

Deno.test("sseEvent() writes empty data, which fires an event", () => {
  assert.equal(sseEvent({ data: "" }), "data: \n\n");
});

Deno.test("sseEvent() refuses CR, LF and NUL in event and id", () => {
  for (const text of ["a\nb", "a\rb", "a\0b", "\r\ndata: forged"]) {
    assert.throws(() => sseEvent({ event: text, data: "x" }), TypeError);
    assert.throws(() => sseEvent({ id: text, data: "x" }), TypeError);
  }
});

Deno.test("sseEvent() refuses a retry time that clients would not understand", () => {
  for (const retry of [-1, 1.5, NaN, Infinity]) {
    assert.throws(() => sseEvent({ retry }), TypeError);
  }
});

Deno.test("sseMessage() names the event by the message's type and gives its id", () => {
  assert.equal(
    sseMessage(stored(messageBody({ type: "t", data: 1 }))),
    'event: t\nid: 5-1\ndata: {"id":"5-1","topic":"a","time":"1970-01-01T00:00:00.000Z","type":"t","data":1}\n\n',
  );
});

Deno.test("sseMessage() leaves the event's name out for a message without a type", () => {
  assert.doesNotMatch(sseMessage(stored(messageBody({ data: 1 }))), /event:/);
});

Deno.test("sseMessage() writes a cursor in place of the id", () => {
  assert.match(sseMessage(stored('{"data":1}'), { id: "0.5-1~1.4-0" }), /^id: 0\.5-1~1\.4-0$/m);
});

Deno.test("sseMessage() gives an ephemeral message no id, so that the cursor stays", () => {
  assert.doesNotMatch(sseMessage({ ...stored('{"data":1}'), id: null }), /^id:/m);
});

Deno.test("sseMessage() in the format data writes the payload alone", async (t) => {
  const payload = (body: string) =>
    sseMessage(stored(body), { format: "data" }).replace("id: 5-1\n", "");
  await t.step("a string as it is, line by line", () => {
    assert.equal(payload(messageBody({ data: "a\nb" })), "data: a\ndata: b\n\n");
  });
  await t.step("anything else as JSON", () => {
    assert.equal(payload(messageBody({ data: { a: [null] } })), 'data: {"a":[null]}\n\n');
    assert.equal(payload(messageBody({ data: null })), "data: null\n\n");
  });
  await t.step("binary in base64", () => {
    assert.equal(payload(messageBody({ dataBase64: "AAE=" })), "data: AAE=\n\n");
  });
});

Deno.test("sseMessage() leaves out a type that another writer stored past the checks", () => {
  for (const type of ["a\ndata: forged", "$gap", "open", "\0"]) {
    const block = sseMessage(stored(JSON.stringify({ type, data: 1 })));
    assert.doesNotMatch(block, /^event:/m);
    assert.equal(block.split("\n").length, 4, "id, data, and the blank line");
  }
});

Deno.test("sseMessage() keeps a body with line breaks of another writer in one event", () => {
  const block = sseMessage(stored('{\n"data":1\r\n}'));
  const data = block.split("\n").filter((line) => line.startsWith("data: "));
  assert.equal(JSON.parse(data.map((line) => line.slice(6)).join("\n")).data, 1);
});
