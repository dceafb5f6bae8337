import assert from "node:assert/strict";
import { eventInput } from "../../lib/broker/event_input.ts";
import { memberPointer, parseEvent } from "../../lib/codec/cloud_event.ts";
import { RunnelError } from "../../lib/errors.ts";

const pointerOf = memberPointer;
const event = (fields: object = {}) =>
  parseEvent({ specversion: "1.0", id: "1", source: "/s", type: "t", ...fields });
const keyOf = (fields: object) =>
  eventInput(event(fields), { topic: "a", pointerOf }).idempotencyKey;

Deno.test("eventInput() takes source and id as the idempotency key, never mistaking one for another", () => {
  assert.equal(keyOf({}), 'ce:["/s","1"]');
  assert.notEqual(keyOf({ source: "/s,", id: "1" }), keyOf({ source: "/s", id: ",1" }));
  assert.notEqual(keyOf({ id: '1","' }), keyOf({ source: '/s","'.replaceAll('"', "'"), id: "1" }));
  const long = keyOf({ id: "x".repeat(5_000) });
  assert.ok(long !== undefined && long.length <= 1_024);
  assert.notEqual(long, keyOf({ id: "x".repeat(5_001) }));
});

Deno.test("eventInput() lets options decide the key, and gives an ephemeral event none", () => {
  const options = { idempotencyKey: "k", ttlMs: 5 };
  const input = eventInput(event(), { topic: "a", options, pointerOf });
  assert.deepEqual([input.idempotencyKey, input.ttlMs], ["k", 5]);
  const ephemeral = { durability: "ephemeral" } as const;
  assert.equal(
    "idempotencyKey" in eventInput(event(), { topic: "a", options: ephemeral, pointerOf }),
    false,
  );
});

Deno.test("eventInput() takes the topic that is given, else the attribute, never the subject", () => {
  const aimed = event({ topic: "b", subject: "c" });
  assert.equal(eventInput(aimed, { topic: "a", pointerOf }).topic, "a");
  assert.equal(eventInput(aimed, { pointerOf }).topic, "b");
  for (const fields of [{ subject: "c" }, { topic: "x*" }, { topic: "$x" }, { topic: 5 }]) {
    assert.throws(() => eventInput(event(fields), { pointerOf }), (error) => {
      assert.ok(error instanceof RunnelError && error.code === "invalid_topic");
      assert.deepEqual(error.errors.map(({ pointer }) => pointer), ["#/topic"]);
      return true;
    });
  }
});

Deno.test("eventInput() refuses a partitionkey that cannot be a message's key", () => {
  for (const partitionkey of ["", "x".repeat(1_025), 5, true]) {
    assert.throws(() => eventInput(event({ partitionkey }), { topic: "a", pointerOf }), {
      code: "invalid_request",
    });
  }
  assert.equal(eventInput(event({ partitionkey: "k" }), { topic: "a", pointerOf }).key, "k");
});
