import assert from "node:assert/strict";
import { type ByeReason, type Encoder, NDJSON, SSE } from "../../lib/broker/encoder.ts";
import { messageOf } from "../_support/ids.ts";
import { type SseBlock, SseParser } from "../_support/sse_parser.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const blocks = (bytes: Uint8Array): SseBlock[] => new SseParser().push(bytes);
const gap = { topic: "a", after: "1-65536", before: null, reason: "retention" } as const;

Deno.test("SSE encoders say what a stream has to say, in events of their own", () => {
  for (const encoder of [SSE.message, SSE.data, SSE.cloudevents]) {
    const [ready] = blocks(encoder.ready({ subscription: "s", cursor: "1-65536" }, 2_000));
    assert.deepEqual([ready?.event, ready?.id, ready?.retry], ["$ready", "1-65536", 2_000]);
    assert.deepEqual(JSON.parse(ready?.data ?? ""), { subscription: "s", cursor: "1-65536" });
    const [bye] = blocks(encoder.bye("shutdown", 700));
    assert.deepEqual([bye?.event, bye?.retry], ["$bye", 700]);
    assert.deepEqual(JSON.parse(bye?.data ?? ""), { reason: "shutdown", retryMs: 700 });
  }
});

Deno.test("SSE encoders move the browser's last event id only where a gap decides it", () => {
  const parser = new SseParser();
  parser.push(SSE.message.messages([messageOf("a", 5)]));
  const [plain] = parser.push(SSE.message.gap(gap));
  assert.deepEqual([plain?.event, plain?.id], ["$gap", "5-65536"]);
  const [deciding] = parser.push(SSE.message.gap(gap, "9-65536"));
  assert.equal(deciding?.id, "9-65536");
  assert.deepEqual(JSON.parse(deciding?.data ?? ""), gap);
});

Deno.test("encoders write what a group's consumer needs with each message, and no cursor", () => {
  const event = { subscription: "s", group: "g", consumer: "c" };
  const [ready] = blocks(SSE.message.ready(event, 2_000));
  assert.deepEqual([ready?.id, JSON.parse(ready?.data ?? "")], ["", event]);
  assert.deepEqual(JSON.parse(text(NDJSON.message.ready(event, 2_000))), {
    event: "$ready",
    ...event,
  });
  const delivery = { deliveries: 2, lease: "7", leaseUntil: 0 };
  const [leased] = blocks(SSE.message.leased(messageOf("a", 5), delivery));
  assert.deepEqual([leased?.event, leased?.id], ["message", "5-65536"]);
  const line = text(NDJSON.message.leased(messageOf("a", 5), delivery));
  for (const message of [leased?.data ?? "", line]) {
    const { deliveries, lease, leaseUntil } = JSON.parse(message);
    assert.deepEqual([deliveries, lease, leaseUntil], [2, "7", "1970-01-01T00:00:00.000Z"]);
  }
  assert.equal(text(SSE.message.heartbeat()).includes("id:"), false);
  assert.deepEqual(JSON.parse(text(NDJSON.message.heartbeat())), { event: "$heartbeat" });
});

Deno.test("SSE heartbeats fire no event and move the browser's last event id", () => {
  const [beat] = blocks(SSE.message.heartbeat("7-65536"));
  assert.deepEqual([beat?.idOnly, beat?.id, beat?.data], [true, "7-65536", undefined]);
});

Deno.test("encoders write messages one after the other, and nothing for none", () => {
  const messages = [messageOf("a", 1), messageOf("b", 2)];
  const all: Encoder[] = [...Object.values(SSE), ...Object.values(NDJSON)];
  for (const encoder of all) {
    const each = messages.map((message) => text(encoder.messages([message]))).join("");
    assert.equal(text(encoder.messages(messages)), each);
    assert.equal(encoder.messages([]).length, 0);
  }
});

Deno.test("NDJSON encoders write one line for each thing", () => {
  const encoder = NDJSON.message;
  const reasons: ByeReason[] = ["limit", "caught_up", "time", "shutdown"];
  const written = [
    encoder.ready({ subscription: "s", cursor: "1-65536" }, 2_000),
    encoder.messages([messageOf("a", 1), messageOf("b", 2)]),
    encoder.gap(gap),
    encoder.gap(gap, "9-65536"),
    encoder.heartbeat("9-65536"),
    ...reasons.map((reason) => encoder.bye(reason, 5)),
  ];
  const lines = text(new Uint8Array(written.flatMap((bytes) => [...bytes]))).split("\n");
  assert.equal(lines.pop(), "");
  const values = lines.map((line) => JSON.parse(line));
  assert.deepEqual(values.map(({ event, id }) => event ?? id), [
    ...[
      "$ready",
      "1-65536",
      "2-65536",
      "$gap",
      "$gap",
      "$heartbeat",
      "$bye",
      "$bye",
      "$bye",
      "$bye",
    ],
  ]);
  assert.deepEqual(values[4], { event: "$gap", ...gap, cursor: "9-65536" });
});
