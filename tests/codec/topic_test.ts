import assert from "node:assert/strict";
import {
  patternFault,
  publishTopicFault,
  requireTopic,
  TOPIC_BYTES,
  topicFault,
} from "../../lib/codec/topic.ts";
import { RunnelError } from "../../lib/errors.ts";

const GOOD = [
  "a",
  "orders.1",
  "a/b:c_d-e",
  "{tag}.x",
  "naïve",
  "主题",
  "😀",
  "a#b?c&d=e%20",
  "__proto__",
];

Deno.test("topicFault() finds nothing wrong with printable names of any language", () => {
  for (const name of GOOD) assert.equal(topicFault(name), undefined, name);
});

Deno.test("topicFault() counts bytes of UTF-8 and not characters", () => {
  assert.equal(topicFault("a".repeat(TOPIC_BYTES)), undefined);
  assert.match(topicFault("a".repeat(TOPIC_BYTES + 1)) ?? "", /512 bytes/);
  assert.equal(topicFault("é".repeat(256)), undefined);
  assert.match(topicFault("é".repeat(256) + "a") ?? "", /512 bytes/);
  assert.match(topicFault("😀".repeat(129)) ?? "", /512 bytes/);
});

Deno.test("topicFault() refuses what no screen shows and what Runnel needs itself", () => {
  const bad = ["", " ", "a b", "a\tb", "a\r\nb", "a\0", "\x7f", "\u0085", "a\u00a0b", "a\u2028b"];
  for (const name of [...bad, "\ud800", "a\udc00", "\u200b", "\ufeff", "a,b", "a*", "**"]) {
    assert.equal(typeof topicFault(name), "string", JSON.stringify(name));
  }
});

Deno.test("publishTopicFault() reserves a leading $, which reading does not", () => {
  assert.equal(typeof publishTopicFault("$dead.jobs"), "string");
  assert.equal(topicFault("$dead.jobs"), undefined);
  assert.equal(publishTopicFault("a$"), undefined);
});

Deno.test("patternFault() lets wildcards pass and nothing else that a topic may not have", () => {
  for (const name of [...GOOD, "*", "**", "orders.*", "a.**.b"]) {
    assert.equal(patternFault(name), undefined, name);
  }
  for (const name of ["", "a *", "*,*", "*".repeat(TOPIC_BYTES + 1)]) {
    assert.equal(typeof patternFault(name), "string", name);
  }
});

Deno.test("requireTopic() gives the topic back, or points at the place it came from", () => {
  assert.equal(requireTopic("a", "#/topic"), "a");
  assert.throws(() => requireTopic("a b", "#/topic"), (error: unknown) => {
    assert.ok(error instanceof RunnelError);
    assert.equal(error.code, "invalid_topic");
    assert.deepEqual(error.errors.map(({ pointer }) => pointer), ["#/topic"]);
    return true;
  });
});

Deno.test("topicFault() takes the joiners that Persian, Indic scripts and emoji need", () => {
  for (
    const name of ["\u06a9\u062a\u0627\u0628\u200c\u0647\u0627", "\u{1f3f3}\ufe0f\u200d\u{1f308}"]
  ) {
    assert.equal(topicFault(name), undefined);
  }
});
