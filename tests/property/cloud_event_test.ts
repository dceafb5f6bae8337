import assert from "node:assert/strict";
import fc from "fast-check";
import { eventInput } from "../../lib/broker/event_input.ts";
import { prepareMessage } from "../../lib/broker/publish_input.ts";
import { memberPointer, parseEvent } from "../../lib/codec/cloud_event.ts";
import { eventJson } from "../../lib/codec/event_message.ts";
import { messageBody } from "../../lib/codec/message.ts";
import { ndjsonMessage } from "../../lib/codec/ndjson.ts";
import { sseMessage } from "../../lib/codec/sse.ts";
import { readEvent } from "../../lib/http/event_request.ts";
import { SseParser } from "../_support/sse_parser.ts";

const FORBIDDEN = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/gu;
const text = fc.string({ unit: "binary" }).map((one) => one.replace(FORBIDDEN, "."));
const some = text.map((one) => one || "x");
const integer = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const time = fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2200-01-01") })
  .map((date) => date.toISOString());
const source = fc.webUrl();
const attributes = fc.record({
  specversion: fc.constant("1.0"),
  id: some,
  source,
  type: fc.oneof(some, fc.constantFrom("error", "message", "$x", "com.example.x")),
  subject: some,
  time,
  dataschema: source,
  partitionkey: some,
}, { requiredKeys: ["specversion", "id", "source", "type"] });
const TAKEN = new Set([
  ...["specversion", "id", "source", "type", "subject", "time", "dataschema", "datacontenttype"],
  ...["data", "partitionkey", "topic"],
]);
const name = fc.stringMatching(/^[a-z0-9]{1,20}$/)
  .filter((one) => !TAKEN.has(one) && !one.startsWith("runnel"));
const extensions = (value: fc.Arbitrary<unknown>) => fc.dictionary(name, value, { maxKeys: 5 });
const json = fc.jsonValue().filter((one) => !Object.is(one, -0));
const base64 = fc.base64String();
const payload = fc.oneof(
  fc.constant({}),
  json.map((data) => ({ data })),
  json.map((data) => ({ data, datacontenttype: "application/json" })),
  text.map((data) => ({ data, datacontenttype: "text/plain" })),
  base64.map((bytes) => ({ data_base64: bytes, datacontenttype: "image/png" })),
  base64.map((bytes) => ({ data_base64: bytes })),
);
const event = fc.tuple(extensions(fc.oneof(text, integer, fc.boolean())), attributes, payload)
  .map((parts): Record<string, unknown> => Object.assign({}, ...parts));

/** What subscribers get of an event that is published, in each kind of stream. */
function deliver(given: ReturnType<typeof parseEvent>): unknown[] {
  const input = eventInput(given, { topic: "t", pointerOf: memberPointer });
  const stored = { id: "1-65536", topic: "t", time: 5, body: prepareMessage(input).body };
  const sse = sseMessage(stored, { format: "cloudevents" });
  const [block, ...others] = new SseParser().push(new TextEncoder().encode(sse));
  assert.deepEqual(others, []);
  const line = ndjsonMessage(stored, { format: "cloudevents" });
  assert.equal(line.indexOf("\n"), line.length - 1);
  return [block?.data ?? "", line].map((one) => {
    const { runnelid, runneltopic, ...rest } = JSON.parse(one);
    assert.deepEqual([runnelid, runneltopic], ["1-65536", "t"]);
    return rest;
  });
}

Deno.test("an event as JSON comes back as it was published", () => {
  fc.assert(fc.property(event, (given) => {
    const wanted = JSON.parse(JSON.stringify(given));
    for (const got of deliver(parseEvent(wanted))) assert.deepEqual(got, wanted);
  }));
});

/** A header's value as the binding says that a sender writes it. */
function encode(value: unknown): string {
  return [...String(value)].map((character) =>
    /[!#-$&-~]/.test(character) ? character : encodeURIComponent(character)
  ).join("");
}

Deno.test("an event in headers comes back as it was published, its attributes as text", async () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 });
  const all = fc.tuple(extensions(fc.oneof(text, integer)), attributes, bytes);
  await fc.assert(fc.asyncProperty(all, async ([more, given, body]) => {
    const parts = { ...more, ...given };
    const headers = Object.entries(parts).map(([name, value]) => [`ce-${name}`, encode(value)]);
    const request = new Request("http://localhost/publish/t", {
      method: "POST",
      headers: [...headers, ["content-type", "image/png"]] as [string, string][],
      body,
    });
    const read = await readEvent(request, { mode: "binary", maxBytes: 1_000 });
    const texts = Object.entries(parts).map(([name, value]) => [name, String(value)]);
    const wanted = {
      ...Object.fromEntries(texts),
      datacontenttype: "image/png",
      data_base64: btoa(String.fromCharCode(...body)),
    };
    for (const got of deliver(read)) assert.deepEqual(got, wanted);
  }));
});

Deno.test("whatever a message says, it is delivered as an event that can be published", () => {
  const any = fc.string({ unit: "binary" });
  const message = fc.record({
    data: fc.jsonValue(),
    type: any,
    key: any,
    contentType: any,
    headers: fc.dictionary(
      fc.oneof(
        any,
        name,
        name.map((one) => `ce-${one}`),
        fc.constantFrom(
          ...["ce-specversion", "ce-id", "ce-source", "ce-value-types", "ce-time", "ce-data"],
        ),
      ),
      fc.oneof(any, fc.constantFrom("1.0", "data:absent", "id:number", "/s")),
    ),
  }, { requiredKeys: ["data"] });
  fc.assert(fc.property(message, (fields) => {
    const written = eventJson({ id: "1-1", topic: "t ", time: 5, body: messageBody(fields) });
    const { data, ...rest } = JSON.parse(written);
    const event = parseEvent({ ...rest, data });
    assert.equal(event.attributes.get("runnelid"), "1-1");
  }));
});
