import assert from "node:assert/strict";
import { z } from "zod";
import { RunnelError } from "../../lib/errors.ts";
import { checkShape, invalidFields, jsonPointer } from "../../lib/http/field_errors.ts";

/** The pointers of what is refused. */
function pointersOf(value: unknown, schema: z.ZodType): string[] {
  try {
    checkShape(value, schema);
  } catch (error) {
    assert(error instanceof RunnelError && error.code === "invalid_request");
    return error.errors.map(({ pointer }) => pointer);
  }
  return [];
}

const MESSAGE = z.strictObject({ topic: z.string(), ttlMs: z.int().optional() });

Deno.test("checkShape() gives the value that the schema made", () => {
  assert.deepEqual(checkShape({ n: "5" }, z.object({ n: z.coerce.number() })), { n: 5 });
});

Deno.test("checkShape() points at each field at fault", () => {
  assert.deepEqual(pointersOf({ ttlMs: 1.5 }, MESSAGE).sort(), ["#/topic", "#/ttlMs"]);
  assert.deepEqual(pointersOf([{ topic: 1 }], z.array(MESSAGE)), ["#/0/topic"]);
});

Deno.test("checkShape() points at the root where the value itself is of the wrong kind", () => {
  assert.deepEqual(pointersOf("x", MESSAGE), ["#"]);
  assert.deepEqual(pointersOf(null, MESSAGE), ["#"]);
});

Deno.test("checkShape() points at every key that is not known, escaped", () => {
  assert.deepEqual(pointersOf({ topic: "a", "x/y": 1, "a~b": 2, "é ": 3 }, MESSAGE), [
    "#/x~1y",
    "#/a~0b",
    "#/%C3%A9%20",
  ]);
});

Deno.test("checkShape() points into the branch of a union that was meant", () => {
  const union = z.union([z.array(MESSAGE), z.strictObject({ messages: z.array(MESSAGE) })]);
  assert.deepEqual(pointersOf({ messages: [{ topic: 5 }] }, union), ["#/messages/0/topic"]);
  assert.deepEqual(pointersOf([{ topic: "a", nope: 1 }], union), ["#/0/nope"]);
});

Deno.test("checkShape() names no branch of a union where the value got into none", () => {
  const union = z.union([z.string(), z.strictObject({ a: z.number() })]);
  assert.throws(() => checkShape(5, union), { message: "#: Invalid input" });
});

Deno.test("checkShape() lists 50 faults at most", () => {
  assert.equal(pointersOf(Array(1000).fill(1), z.array(z.string())).length, 50);
});

Deno.test("invalidFields() says in its detail what is wrong first", () => {
  const errors = [{ pointer: "#/a", detail: "Is bad" }, { pointer: "#/b", detail: "Too" }];
  assert.equal(invalidFields(errors).message, "#/a: Is bad (and 1 more)");
  assert.equal(invalidFields(errors.slice(1), "invalid_topic").code, "invalid_topic");
});

Deno.test("jsonPointer() is a URI fragment for any key", () => {
  assert.equal(jsonPointer([]), "#");
  assert.equal(jsonPointer(["a", 0, ""]), "#/a/0/");
  assert.equal(jsonPointer(["\ud800#"]), "#/%EF%BF%BD%23");
});
