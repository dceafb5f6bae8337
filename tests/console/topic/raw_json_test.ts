import assert from "node:assert/strict";
import fc from "fast-check";
import {
  childrenAt,
  countChildren,
  kindAt,
  startOfString,
  valueEnd,
  wholeValue,
} from "../../../lib/console/topic/raw_json.ts";

/** Puts a value together again from its pieces. */
function rebuild(text: string, at: number): unknown {
  const kind = kindAt(text, at);
  const children = [...kind === "object" || kind === "array" ? childrenAt(text, at) : []];
  if (kind === "array") return children.map(({ value }) => rebuild(text, value.start));
  if (kind !== "object") return JSON.parse(text.slice(at, valueEnd(text, at)));
  const made: Record<string, unknown> = {};
  for (const { key, value } of children) {
    const name = JSON.parse(text.slice(key!.start, key!.end));
    Object.defineProperty(made, name, {
      value: rebuild(text, value.start),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return made;
}

Deno.test("childrenAt() finds every value of any JSON, with and without white space", () => {
  fc.assert(fc.property(fc.jsonValue(), fc.nat(4), (value, spaces) => {
    const text = ` ${JSON.stringify(value, undefined, spaces)}\n`;
    const whole = wholeValue(text);
    assert.equal(text.slice(whole.start, whole.end), text.trim());
    assert.deepEqual(
      JSON.stringify(rebuild(text, whole.start)),
      JSON.stringify(JSON.parse(text)),
    );
  }));
});

Deno.test("childrenAt() keeps numbers as they were written", () => {
  const text = '{"a":12345678901234567890.10,"b":[1e400]}';
  const values = [...childrenAt(text, 0)].map(({ value }) => text.slice(value.start, value.end));
  assert.deepEqual(values, ["12345678901234567890.10", "[1e400]"]);
});

Deno.test("countChildren() counts those of one level", () => {
  assert.equal(countChildren('[[1,2],{"a":[3]},"],["]', 0), 3);
  assert.equal(countChildren("{ }", 0), 0);
});

Deno.test("startOfString() gives the first characters, wherever an escape is cut", () => {
  fc.assert(fc.property(
    fc.string({ unit: fc.constantFrom("\\", '"', "\n", "é", "😀", "a", "\u0001") }),
    fc.integer({ min: 1, max: 30 }),
    (value, most) => {
      const text = JSON.stringify(value);
      const start = startOfString(text, { start: 0, end: text.length }, most);
      assert.ok(value.startsWith(start));
      assert.ok(start.isWellFormed());
      assert.ok(start.length <= most);
      // half a character at the end is left out, and nothing else
      assert.ok(start.length >= Math.min(value.length, most) - 1);
    },
  ));
});
