import assert from "node:assert/strict";
import { messageBody, messageJson, messageType, typeProblem } from "../../lib/codec/message.ts";

const TIME = Date.UTC(2026, 0, 2, 3, 4, 5, 678);

Deno.test("messageBody() writes what is set, type first and one of data and dataBase64", () => {
  assert.equal(messageBody({ data: { a: 1 } }), '{"data":{"a":1}}');
  assert.equal(
    messageBody({ data: "x", type: "t", key: "k" }),
    '{"type":"t","key":"k","data":"x"}',
  );
  assert.equal(
    messageBody({ dataBase64: "AA==", contentType: "image/png" }),
    '{"contentType":"image/png","dataBase64":"AA=="}',
  );
});

Deno.test("messageBody() keeps null, false, zero and the empty string as data", () => {
  for (const data of [null, false, 0, ""]) {
    assert.deepEqual(JSON.parse(messageBody({ data })), { data });
  }
});

Deno.test("messageBody() is one line, whatever the data", () => {
  assert.doesNotMatch(messageBody({ data: "a\r\nb\0c\u2028", key: "\n" }), /[\r\n\0]/);
});

Deno.test("messageJson() is the JSON of the whole message", () => {
  const stored = {
    id: "1-2",
    topic: 'a"b\\é',
    time: TIME,
    body: messageBody({ data: [1], type: "t" }),
  };
  assert.deepEqual(JSON.parse(messageJson(stored)), {
    id: "1-2",
    topic: 'a"b\\é',
    time: "2026-01-02T03:04:05.678Z",
    type: "t",
    data: [1],
  });
});

Deno.test("messageJson() tells a group's consumer of its delivery", () => {
  const stored = { id: "1-2", topic: "a", time: TIME, body: messageBody({ data: { lease: 1 } }) };
  const told = { id: "1-2", topic: "a", time: "2026-01-02T03:04:05.678Z", data: { lease: 1 } };
  assert.deepEqual(JSON.parse(messageJson(stored, { deliveries: 3 })), { ...told, deliveries: 3 });
  const delivery = { deliveries: 1, lease: '7"', leaseUntil: TIME };
  assert.deepEqual(JSON.parse(messageJson(stored, delivery)), {
    ...told,
    ...delivery,
    leaseUntil: "2026-01-02T03:04:05.678Z",
  });
});

Deno.test("messageJson() writes the id of an ephemeral message as null", () => {
  const stored = { id: null, topic: "a", time: TIME, body: messageBody({ data: 1 }) };
  assert.equal(JSON.parse(messageJson(stored)).id, null);
});

Deno.test("messageJson() writes each message's own time, in bursts and between them", () => {
  const times = [TIME, TIME, TIME + 1, TIME, 0].map((time) =>
    JSON.parse(messageJson({ id: "1-1", topic: "a", time, body: '{"data":1}' })).time
  );
  assert.deepEqual(times, [TIME, TIME, TIME + 1, TIME, 0].map((t) => new Date(t).toISOString()));
});

Deno.test("messageJson() is JSON even where another writer stored an empty body", () => {
  assert.doesNotThrow(() =>
    JSON.parse(messageJson({ id: "1-1", topic: "a", time: 0, body: "{}" }))
  );
});

Deno.test("messageType() finds the type that messageBody() wrote, whatever is in it", () => {
  for (const type of ["a", 'q"q', "back\\slash", '\\"', "é😀", "a\\", '"', "x\ny"]) {
    assert.equal(messageType(messageBody({ type, data: '"type":"no"' })), type);
  }
});

Deno.test("messageType() finds none where the message has none", () => {
  assert.equal(messageType(messageBody({ data: { type: "inner" } })), undefined);
  assert.equal(messageType('{"type":"broken'), undefined);
  assert.equal(messageType(""), undefined);
});

Deno.test("typeProblem() accepts names that a browser can listen to", () => {
  for (const type of ["order.created", "é", "a b", "OPEN", "x".repeat(256)]) {
    assert.equal(typeProblem(type), undefined, type);
  }
});

Deno.test("typeProblem() refuses what would break the stream or pass for the browser's own events", () => {
  const wrong = ["", "a\nb", "a\rb", "a\0b", "\t", "\x7f", "$gap", "open", "error", "message"];
  for (const type of [...wrong, "x".repeat(257)]) {
    assert.match(typeProblem(type) ?? "", /^Must/, JSON.stringify(type));
  }
});
