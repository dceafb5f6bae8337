import assert from "node:assert/strict";
import { isJsonType, mediaType, payloadOf } from "../../lib/codec/payload.ts";
import { type ErrorCode, RunnelError } from "../../lib/errors.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const hasCode = (code: ErrorCode) => (error: unknown) =>
  error instanceof RunnelError && error.code === code;

Deno.test("payloadOf() keeps JSON as JSON", () => {
  assert.deepEqual(payloadOf(encode('{"a":1}'), "application/json"), { data: { a: 1 } });
  assert.deepEqual(payloadOf(encode("[1]"), "Application/Vnd.x+JSON; charset=utf-8"), {
    data: [1],
  });
});

Deno.test("payloadOf() takes text, and what curl -d sends, as a string", () => {
  assert.deepEqual(payloadOf(encode("Hello"), "application/x-www-form-urlencoded"), {
    data: "Hello",
  });
  assert.deepEqual(payloadOf(encode("a=b&c=%20"), "application/x-www-form-urlencoded"), {
    data: "a=b&c=%20",
  });
  assert.deepEqual(payloadOf(encode("é\n"), "text/plain; charset=UTF-8"), { data: "é\n" });
  assert.deepEqual(payloadOf(encode(""), "text/plain"), { data: "" });
});

Deno.test("payloadOf() remembers what kind of text it is, when it is not plain", () => {
  assert.deepEqual(payloadOf(encode("<a/>"), "text/xml"), {
    data: "<a/>",
    contentType: "text/xml",
  });
});

Deno.test("payloadOf() reads text in its own charset", () => {
  assert.deepEqual(payloadOf(Uint8Array.of(0xe9), 'text/plain; charset="iso-8859-1"'), {
    data: "é",
  });
});

Deno.test("payloadOf() keeps anything else as base64 with its content type", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  const payload = payloadOf(bytes, "image/png");
  assert.equal(payload.contentType, "image/png");
  assert.deepEqual(Uint8Array.from(atob(payload.dataBase64 ?? ""), (c) => c.charCodeAt(0)), bytes);
  assert.deepEqual(payloadOf(Uint8Array.of(0), null), {
    dataBase64: "AA==",
    contentType: "application/octet-stream",
  });
});

Deno.test("payloadOf() takes large binary payloads", () => {
  const bytes = new Uint8Array(1_000_001).fill(255);
  assert.equal(payloadOf(bytes, "a/b").dataBase64?.length, Math.ceil(1_000_001 / 3) * 4);
});

Deno.test("payloadOf() refuses broken JSON, text out of its charset and unknown charsets", () => {
  const wrong = Uint8Array.of(0xff, 0xfe);
  assert.throws(() => payloadOf(encode("{"), "application/json"), hasCode("invalid_json"));
  assert.throws(() => payloadOf(wrong, "application/json"), hasCode("invalid_json"));
  assert.throws(() => payloadOf(wrong, "text/plain"), hasCode("invalid_request"));
  assert.throws(
    () => payloadOf(encode("x"), "text/plain; charset=nope"),
    hasCode("unsupported_media_type"),
  );
});

Deno.test("mediaType() is lower-case and without parameters", () => {
  assert.equal(mediaType("Text/HTML ; charset=x"), "text/html");
  assert.equal(mediaType(null), "");
});

Deno.test("isJsonType() knows JSON and what is built on it", () => {
  assert(isJsonType("application/json") && isJsonType("application/problem+json"));
  assert(!isJsonType("application/x-ndjson") && !isJsonType("text/json5") && !isJsonType(""));
});
