import assert from "node:assert/strict";
import fc from "fast-check";
import {
  batchMessageSchema,
  isPlainMessage,
  prepareMessage,
  type PublishInput,
  publishSchema,
} from "../../lib/broker/publish_input.ts";
import { parseJsonText } from "../../lib/codec/json.ts";
import { messageBody } from "../../lib/codec/message.ts";

const topic = fc.oneof(
  fc.constantFrom("a", "orders.eu", "", "$stats", "a b", "a,b", "a*", "é", "\ud800"),
  fc.string(),
);
const value = fc.oneof(
  fc.record({
    topic: fc.oneof({ weight: 4, arbitrary: topic }, { weight: 1, arbitrary: fc.jsonValue() }),
    data: fc.jsonValue(),
    key: fc.string(),
    type: fc.string(),
    dataBase64: fc.string(),
    confirm: fc.jsonValue(),
    other: fc.jsonValue(),
  }, { requiredKeys: [] }),
  fc.record({ topic, data: fc.jsonValue() }),
  fc.jsonValue(),
).map((value) => JSON.stringify(value));

Deno.test("isPlainMessage() takes nothing that the schemas refuse or change", () => {
  fc.assert(
    fc.property(value, (text) => {
      const value = JSON.parse(text);
      if (!isPlainMessage(value)) return;
      assert.deepEqual(publishSchema.parse(value), value);
      assert.deepEqual(batchMessageSchema.parse(value), value);
    }),
    { numRuns: 2_000 },
  );
});

Deno.test("isPlainMessage() takes a topic with any JSON, and no further field", () => {
  for (const data of [null, 0, "", [], {}, { topic: 1 }]) {
    assert.ok(isPlainMessage({ topic: "a", data }));
  }
  const others = [
    '{"topic":"a"}',
    '{"topic":"a","data":1,"type":"t"}',
    '{"topic":"a","data":1,"__proto__":{}}',
    '{"topic":"$x","data":1}',
    '{"data":1}',
    '[{"topic":"a","data":1}]',
    "null",
    '"a"',
  ];
  for (const text of others) assert.ok(!isPlainMessage(JSON.parse(text)), text);
});

Deno.test("A plain message is stored as one with fields would be", () => {
  for (const text of ["null", "[]", '{"a":1}', "12345678901234567890", "1e400", '"\\ud800"']) {
    const input = parseJsonText(`{"topic":"a","data":${text}}`) as PublishInput;
    const withKey = messageBody({ data: input.data, key: "k" });
    assert.equal(prepareMessage(input).body, withKey.replace('"key":"k",', ""));
  }
});
