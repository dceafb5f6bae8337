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

Deno.test("parseJson() takes 500 levels, and refuses more at once", () => {
  const nested = (levels: number) => "[".repeat(levels) + "]".repeat(levels);
  assert.equal(writeJson(parseJson(bytes(nested(500)))), nested(500));
  const objects = '{"a":'.repeat(501) + "1" + "}".repeat(501);
  for (
    const text of [nested(501), nested(1_000_000), objects, `[${nested(500)}]`, "[".repeat(9_999)]
  ) {
    assert.throws(
      () => parseJson(bytes(text)),
      (error: unknown) => error instanceof RunnelError && error.code === "invalid_request",
    );
  }
});

Deno.test("parseJson() counts levels, not brackets", () => {
  const wide = JSON.stringify(Array(1_000).fill([[1]]));
  const quoted = JSON.stringify(["[{".repeat(1_000), '\\"[', { '"[[[': "\\\\" }]);
  for (const text of [wide, quoted]) assert.equal(writeJson(parseJson(bytes(text))), text);
});

Deno.test("parseJson() and writeJson() change no number", () => {
  const kept = [
    "12345678901234567890",
    "-12345678901234567890",
    "9007199254740993",
    "1e400",
    "-1e400",
    "1e-400",
    "0.12345678901234567890",
    "100000000000000000000000",
  ];
  for (const number of kept) {
    for (const text of [number, `[${number}]`, `{"a":{"b":${number},"c":"x"}}`]) {
      assert.equal(writeJson(parseJson(bytes(text))), text);
    }
  }
});

Deno.test("parseJson() gives an ordinary number as one, beside others too", () => {
  assert.deepEqual(parseJson(bytes("[0.1,1E5,1.50,1e+308,9007199254740991]")), [
    0.1,
    100000,
    1.5,
    1e308,
    9007199254740991,
  ]);
  assert.deepEqual(parseJson(bytes('{"a":1.50,"b":"12345678901234567890","c":1e1}')), {
    a: 1.5,
    b: "12345678901234567890",
    c: 10,
  });
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
