import assert from "node:assert/strict";
import fc from "fast-check";
import { RunnelError } from "../../lib/errors.ts";
import {
  flag,
  headerText,
  integer,
  oneOf,
  type QueryShape,
  readQuery,
  text,
  texts,
} from "../../lib/http/query.ts";

const SHAPE = {
  topic: texts(),
  since: text(),
  limit: integer({ min: 1, max: 100 }),
  wait: flag(),
  format: oneOf("message", "data"),
};

/** The pointers of what is refused. */
function pointersOf(search: string, shape: QueryShape = SHAPE, headers?: Headers): string[] {
  try {
    readQuery({ search, ...(headers === undefined ? {} : { headers }) }, shape);
  } catch (error) {
    assert(error instanceof RunnelError && error.code === "invalid_request");
    return error.errors.map(({ pointer }) => pointer);
  }
  return [];
}

Deno.test("readQuery() reads each parameter as what it is", () => {
  const query = readQuery(
    { search: "?topic=a&topic=b.*&since=10m&limit=5&wait=0&format=data" },
    SHAPE,
  );
  assert.deepEqual(query, {
    topic: ["a", "b.*"],
    since: "10m",
    limit: 5,
    wait: false,
    format: "data",
  });
});

Deno.test("readQuery() gives undefined, or an empty list, for what is absent", () => {
  for (const search of ["", "?", "?&"]) {
    assert.deepEqual(readQuery({ search }, SHAPE), {
      topic: [],
      since: undefined,
      limit: undefined,
      wait: undefined,
      format: undefined,
    });
  }
});

Deno.test("readQuery() decodes names and values as UTF-8, + as a space", () => {
  const query = readQuery({ search: "?to%70ic=%C3%A9+x%2B&topic=é&topic=a=b&topic" }, SHAPE);
  assert.deepEqual(query.topic, ["é x+", "é", "a=b", ""]);
});

Deno.test("readQuery() refuses bytes that are not UTF-8 instead of replacing them", () => {
  assert.deepEqual(pointersOf("?topic=%ff"), ["?topic"]);
  assert.deepEqual(pointersOf("?topic=%"), ["?topic"]);
  assert.deepEqual(pointersOf("?%ff=a"), ["?"]);
});

Deno.test("readQuery() refuses parameters and values that are not known, all at once", () => {
  assert.deepEqual(pointersOf("?nope=1&limit=x&wait=maybe&format=xml&also"), [
    "?nope",
    "?also",
    "?limit",
    "?wait",
    "?format",
  ]);
});

Deno.test("readQuery() refuses names that every object has", () => {
  assert.deepEqual(pointersOf("?__proto__=1&constructor=2&toString=3"), [
    "?__proto__",
    "?constructor",
    "?toString",
  ]);
});

Deno.test("readQuery() refuses a second value of what is given once", () => {
  assert.deepEqual(pointersOf("?since=a&since=b&limit=1&limit=1"), ["?since", "?limit"]);
});

Deno.test("integer() takes whole numbers within its limits only", () => {
  for (
    const value of ["0", "101", "1.0", "1e1", "0x5", "", "%205", "+5", "-1", "99999999999999999"]
  ) {
    assert.deepEqual(pointersOf(`?limit=${value}`), ["?limit"], value);
  }
  assert.equal(readQuery({ search: "?limit=100" }, SHAPE).limit, 100);
});

Deno.test("flag() takes 1, true, 0 and false only", () => {
  const values = ["1", "true", "0", "false"];
  assert.deepEqual(values.map((value) => readQuery({ search: `?wait=${value}` }, SHAPE).wait), [
    true,
    true,
    false,
    false,
  ]);
  for (const value of ["", "yes", "TRUE", "2"]) {
    assert.deepEqual(pointersOf(`?wait=${value}`), ["?wait"]);
  }
});

Deno.test("readQuery() takes parameters from x-runnel- headers, where they are given; the query wins", () => {
  const shape = { ttlMs: integer(), idempotencyKey: text(), type: text() };
  const headers = new Headers({
    "x-runnel-ttl-ms": "5",
    "x-runnel-idempotency-key": "from header",
    "X-Runnel-Type": "\u00c3\u00a9",
    accept: "*/*",
  });
  assert.deepEqual(readQuery({ search: "?idempotencyKey=q", headers }, shape), {
    ttlMs: 5,
    idempotencyKey: "q",
    type: "é",
  });
});

Deno.test("readQuery() refuses x-runnel- headers that are not known or have wrong values, by their names", () => {
  const shape = { ttlMs: integer(), type: text() };
  const headers = new Headers({
    "x-runnel-ttl-ms": "soon",
    "x-runnel-nope": "1",
    "x-runnel-type": "\u00ff",
  });
  assert.deepEqual(pointersOf("", shape, headers).sort(), [
    "x-runnel-nope",
    "x-runnel-ttl-ms",
    "x-runnel-type",
  ]);
});

Deno.test("headerText() reads a header's bytes as UTF-8", () => {
  assert.equal(headerText("plain ~"), "plain ~");
  assert.equal(headerText("\u00f0\u009f\u0098\u0080"), "😀");
  assert.equal(headerText("\u00ff"), undefined);
});

Deno.test("readQuery() reads what URLSearchParams wrote, for any names and values", () => {
  const pair = fc.tuple(fc.constantFrom("a", "ü b"), fc.string({ unit: "grapheme" }));
  fc.assert(fc.property(fc.array(pair), (pairs) => {
    const search = `?${new URLSearchParams(pairs)}`;
    const query = readQuery({ search }, { a: texts(), "ü b": texts() });
    const wanted = (name: string) =>
      pairs.filter(([key]) => key === name).map(([, value]) => value);
    assert.deepEqual(query, { a: wanted("a"), "ü b": wanted("ü b") });
  }));
});

Deno.test("readQuery() answers any text with values or with invalid_request", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (search) => {
    pointersOf(`?${search}`);
  }));
});
