import assert from "node:assert/strict";
import {
  attributeFault,
  checkEvent,
  isJsonEventType,
  memberPointer,
  parseEvent,
} from "../../lib/codec/cloud_event.ts";
import { RunnelError } from "../../lib/errors.ts";

const REQUIRED = { specversion: "1.0", id: "1", source: "/s", type: "t" };

/** The pointers of what is refused. */
function pointersOf(value: unknown): string[] {
  try {
    parseEvent(value);
  } catch (error) {
    assert.ok(error instanceof RunnelError && error.code === "invalid_request");
    return error.errors.map(({ pointer }) => pointer);
  }
  return [];
}

Deno.test("parseEvent() gives attributes sorted by name, without specversion and what is null", () => {
  const event = parseEvent({ ...REQUIRED, zone: true, subject: null, age: -5, data: null });
  assert.deepEqual([...event.attributes], [
    ...[["age", -5], ["id", "1"], ["source", "/s"], ["type", "t"], ["zone", true]],
  ]);
  assert.deepEqual(event.payload, { data: null });
});

Deno.test("parseEvent() tells no data from data that is null, and takes data_base64: null as none", () => {
  assert.deepEqual(parseEvent(REQUIRED).payload, {});
  assert.deepEqual(parseEvent({ ...REQUIRED, data_base64: null }).payload, {});
  assert.deepEqual(parseEvent({ ...REQUIRED, data: "x", data_base64: null }).payload, {
    data: "x",
  });
  assert.deepEqual(parseEvent({ ...REQUIRED, data_base64: "AA==" }).payload, {
    dataBase64: "AA==",
  });
});

Deno.test("parseEvent() points at everything that is wrong at once", () => {
  assert.deepEqual(pointersOf({ specversion: "1.0", source: "", "a/b~": 1, time: 5 }).sort(), [
    ...["#/a~1b~0", "#/id", "#/source", "#/time", "#/type"],
  ]);
  assert.deepEqual(pointersOf(null), ["#"]);
  assert.deepEqual(pointersOf("{}"), ["#"]);
  assert.deepEqual(pointersOf({ ...REQUIRED, data_base64: 5 }), ["#/data_base64"]);
  assert.deepEqual(pointersOf(JSON.parse('{"__proto__":1,"data":1}')).at(-1), "#/__proto__");
});

Deno.test("parseEvent() does not list a thousand faults, nor take a thousand attributes", () => {
  const many = (name: string, value: unknown) =>
    Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [name + i, value]));
  assert.equal(pointersOf({ ...REQUIRED, ...many("X", 1) }).length, 50);
  assert.deepEqual(pointersOf({ ...REQUIRED, ...many("x", 1) }), ["#"]);
  assert.deepEqual(pointersOf({ ...REQUIRED, data: many("X", 1) }), []);
});

Deno.test("attributeFault() knows what the specification says of each attribute", () => {
  const good: [string, unknown][] = [
    ...["/s", "urn:x:1", "https://a.example/b?c#d", "a%20b", "#"].map((s) =>
      ["source", s] as [string, unknown]
    ),
    ["dataschema", "urn:x"],
    ["time", "2026-01-02T03:04:05Z"],
    ["time", "2026-01-02t03:04:05.123456789+02:00"],
    ["time", "2016-12-31T23:59:60Z"],
    ["ext", ""],
    ["ext", "a b 🌍"],
    ["ext", 2 ** 31 - 1],
    ["ext", -(2 ** 31)],
    ["constructor", "x"],
  ];
  for (const [name, value] of good) assert.equal(attributeFault(name, value), undefined, name);
  const bad: [string, unknown][] = [
    ["source", "a b"],
    ["source", "ü"],
    ["source", "%zz"],
    ["dataschema", "/relative"],
    ["time", "2026-01-02"],
    ["time", "2026-13-02T03:04:05Z"],
    ["time", "2026-01-02T03:04:05"],
    ["subject", ""],
    ["subject", 5],
    ["datacontenttype", ""],
    ["specversion", "1.1"],
    ["ext", 2 ** 31],
    ["ext", 0.5],
    ["ext", []],
    ["ext", "\n"],
    ["ext", "\u0085"],
    ["ext", "\ud800"],
    ["ext", "\uffff"],
    ["ext_", ""],
    ["data", "x"],
    ["", "x"],
  ];
  for (const [name, value] of bad) {
    assert.equal(typeof attributeFault(name, value), "string", `${name} ${value}`);
  }
});

Deno.test("checkEvent() refuses a JSON value where the content type is another's", () => {
  const check = (type: string, data: unknown) => () =>
    checkEvent({
      attributes: new Map(Object.entries({ ...REQUIRED, datacontenttype: type })),
      payload: { data },
      pointerOf: memberPointer,
    });
  assert.throws(check("text/xml", {}), RunnelError);
  assert.throws(check("image/png", 5), RunnelError);
  for (const type of ["application/json;charset=utf-8", "text/json", "image/x+json"]) {
    assert.doesNotThrow(check(type, {}), type);
    assert.equal(isJsonEventType(type), true);
  }
  assert.doesNotThrow(check("text/xml", "<a/>"));
});

Deno.test("memberPointer() escapes what a pointer cannot hold", () => {
  assert.equal(memberPointer("a/b~c d\ud800"), "#/a~1b~0c%20d%EF%BF%BD");
});
