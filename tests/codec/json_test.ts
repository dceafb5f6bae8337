import assert from "node:assert/strict";
import { decodeUtf8, parseJson, writeJson } from "../../lib/codec/json.ts";
import { RunnelError } from "../../lib/errors.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const isInvalidJson = (error: unknown) =>
  error instanceof RunnelError && error.code === "invalid_json" && error.errors[0]?.pointer === "#";

Deno.test("parseJson() reads any JSON value in UTF-8", () => {
  assert.deepEqual(parseJson(bytes('{"a":["é","😀",1.5,null,true]}')), {
    a: ["é", "😀", 1.5, null, true],
  });
  assert.equal(parseJson(bytes(' "x" ')), "x");
});

Deno.test("parseJson() refuses bytes that are not UTF-8 instead of replacing them", () => {
  for (const wrong of [[0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]]) {
    assert.throws(() => parseJson(Uint8Array.from(wrong)), isInvalidJson);
  }
});

Deno.test("parseJson() says where the JSON breaks and never repeats the input", () => {
  assert.throws(() => parseJson(bytes('{"password":"hunter2",}')), (error: unknown) => {
    assert(isInvalidJson(error) && error instanceof RunnelError);
    assert.match(error.message, /position \d+/);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
});

Deno.test("parseJson() refuses what only looks like JSON", () => {
  for (const text of ["", "  ", "{", "hello", "{a:1}", "01", "'x'", '"\n"', "NaN", '{"a":1}x']) {
    assert.throws(() => parseJson(bytes(text)), isInvalidJson, JSON.stringify(text));
  }
});

Deno.test("decodeUtf8() keeps control characters, which are the next check's matter", () => {
  assert.equal(decodeUtf8(bytes("a\0b")), "a\0b");
});

Deno.test("writeJson() gives back whatever depth parseJson() took, or refuses it by a public error", () => {
  const text = "[".repeat(200_000) + "]".repeat(200_000);
  try {
    assert.equal(writeJson(parseJson(bytes(text))), text);
  } catch (error) {
    assert(error instanceof RunnelError && error.code === "invalid_request");
  }
});

Deno.test("writeJson() refuses a value at which an engine's recursion ends", () => {
  const deep = { toJSON: () => assert.fail(new RangeError("Maximum call stack size exceeded")) };
  assert.throws(
    () => writeJson(deep),
    (error: unknown) => error instanceof RunnelError && error.code === "invalid_request",
  );
});

Deno.test("writeJson() passes on an error that is not about depth", () => {
  assert.throws(() => writeJson(1n), TypeError);
});
