import assert from "node:assert/strict";
import { readDuration, writeDuration } from "../../../lib/console/topic/duration.ts";
import { boundBefore, readBound } from "../../../lib/console/topic/history_bound.ts";
import {
  bodyOf,
  EMPTY_DRAFT,
  errorsByField,
  jsonFault,
} from "../../../lib/console/topic/publish_draft.ts";

Deno.test("bodyOf() sends JSON as it was written, and text as a string", () => {
  const json = bodyOf({ ...EMPTY_DRAFT, payload: ' {"n": 12345678901234567890} ' }, "a");
  assert.equal(json.body, '{"topic":"a","data":{"n": 12345678901234567890}}');
  const text = bodyOf({ ...EMPTY_DRAFT, kind: "text", payload: '{"not": json' }, "a");
  assert.deepEqual(JSON.parse(text.body ?? ""), { topic: "a", data: '{"not": json' });
});

Deno.test("bodyOf() sends what was filled in, and nothing else", () => {
  const { body } = bodyOf({
    payload: "1",
    kind: "json",
    type: "t",
    key: "k",
    headers: [{ name: "h", value: "v" }, { name: "", value: "" }],
    ttl: "10m",
    delay: "1.5 s",
    idempotencyKey: "i",
  }, "a");
  assert.deepEqual(JSON.parse(body ?? ""), {
    topic: "a",
    type: "t",
    key: "k",
    headers: { h: "v" },
    ttlMs: 600_000,
    delayMs: 1_500,
    idempotencyKey: "i",
    data: 1,
  });
});

Deno.test("bodyOf() says at which field something is wrong", () => {
  const { errors } = bodyOf({
    ...EMPTY_DRAFT,
    payload: "{",
    ttl: "soon",
    delay: "10",
    headers: [{ name: "x", value: "1" }, { name: "x", value: "2" }, { name: "", value: "3" }],
  }, "a");
  assert.deepEqual(Object.keys(errors ?? {}).sort(), [
    "delay",
    "headers",
    "headers/x",
    "payload",
    "ttl",
  ]);
});

Deno.test("jsonFault() says the line and the column", () => {
  assert.match(jsonFault('{\n  "a": 1,\n}') ?? "", /line 3,? column 1/);
  assert.equal(jsonFault("null"), undefined);
  assert.match(jsonFault("  ") ?? "", /Text/);
});

Deno.test("errorsByField() puts a problem's pointers to the form's fields", () => {
  const errors = ["#/type", "#/ttlMs", "#/delayMs", "#/data", "#/headers/a~1b", "#/topic", "#"]
    .map((pointer) => ({ pointer, detail: pointer }));
  assert.deepEqual(errorsByField(errors), {
    type: "#/type",
    ttl: "#/ttlMs",
    delay: "#/delayMs",
    payload: "#/data",
    "headers/a/b": "#/headers/a~1b",
    form: "#",
  });
});

Deno.test("durations are read as they are written", () => {
  for (const ms of [1, 250, 1_000, 90_000, 600_000, 7_200_000, 86_400_000, 604_800_000]) {
    assert.equal(readDuration(writeDuration(ms)), ms);
  }
  assert.equal(writeDuration(90_000), "90s");
  for (const text of ["", "10", "ten m", "-1s", "1w", "9".repeat(20) + "d"]) {
    assert.equal(readDuration(text), undefined, text);
  }
});

Deno.test("readBound() finds the place before an id, a time and a time span", () => {
  const last = Number.MAX_SAFE_INTEGER;
  assert.equal(readBound(" 17-65536 ", 0), "17-65535");
  assert.equal(boundBefore("17-0"), `16-${last}`);
  assert.equal(readBound("10m", 1_000_000), `399999-${last}`);
  assert.equal(readBound("1970-01-01T00:00:01Z", 0), `999-${last}`);
  assert.equal(readBound("2d", 1_000), "0-0");
  for (const text of ["", "yesterday", "12", "1-2-3"]) assert.equal(readBound(text, 0), undefined);
});
