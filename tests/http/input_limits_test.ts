import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import { InputLimits } from "../../lib/http/input_limits.ts";

/** Code and pointer of a refusal; undefined where there is none. */
function refusalOf(check: () => void): string | undefined {
  try {
    check();
  } catch (error) {
    assert(error instanceof RunnelError);
    return `${error.code} ${error.errors[0]?.pointer}`;
  }
  return undefined;
}

const ofMessage = (limits: InputLimits, message = {}, body = "{}") =>
  refusalOf(() => limits.checkMessage(message, () => body));

Deno.test("checkMessage() counts the bytes of a message, not its characters", () => {
  const limits = new InputLimits({ messageBytes: 6 });
  for (const body of ["xxxxxx", "éxxxx", "ééé", "漢字", "🏳xx"]) {
    assert.equal(ofMessage(limits, {}, body), undefined, body);
  }
  for (const body of ["xxxxxxx", "éxxxxx", "漢字x", "🏳xxx"]) {
    assert.equal(ofMessage(limits, {}, body), "payload_too_large #", body);
  }
});

Deno.test("checkMessage() counts the names and values of headers together", () => {
  const limits = new InputLimits({ headerBytes: 4 });
  assert.equal(ofMessage(limits, { headers: { a: "b", c: "d" } }), undefined);
  assert.equal(ofMessage(limits, { headers: {} }), undefined);
  assert.equal(ofMessage(limits, {}), undefined);
  const refusal = "payload_too_large #/headers";
  assert.equal(ofMessage(limits, { headers: { a: "b", c: "é" } }), refusal);
  assert.equal(ofMessage(new InputLimits({ headerBytes: 0 }), { headers: { a: "" } }), refusal);
});

Deno.test("checkTopic() counts the bytes of a topic's name, and a message's topic is checked too", () => {
  const limits = new InputLimits({ topicBytes: 4 });
  assert.equal(ofMessage(limits, { topic: "éa." }), undefined);
  assert.equal(ofMessage(limits, { topic: "éab." }), "invalid_topic #/topic");
  assert.equal(
    refusalOf(() => limits.checkTopic("abcde", "?topic")),
    "invalid_topic ?topic",
  );
});

Deno.test("checkBatch() counts messages", () => {
  const limits = new InputLimits({ batch: 2 });
  assert.equal(refusalOf(() => limits.checkBatch(2, "#")), undefined);
  assert.equal(refusalOf(() => limits.checkBatch(3, "#/messages")), "payload_too_large #/messages");
});

Deno.test("leased() lowers what is usual, and refuses what is asked for", () => {
  const limits = new InputLimits({ leased: 5 });
  const place = { usual: 10, pointer: "?max" };
  assert.equal(limits.leased(undefined, place), 5);
  assert.equal(limits.leased(undefined, { ...place, usual: 1 }), 1);
  assert.equal(limits.leased(5, place), 5);
  assert.equal(refusalOf(() => limits.leased(6, place)), "invalid_request ?max");
});

Deno.test("limits that are not set refuse nothing, and look at no message", () => {
  const limits = new InputLimits({});
  limits.checkMessage({ topic: "x".repeat(512), headers: { a: "x".repeat(1_024) } }, () => {
    throw new Error("The message was looked at");
  });
  limits.checkBatch(1_000_000, "#");
  assert.equal(limits.leased(1_000, { usual: 1, pointer: "#/max" }), 1_000);
});
