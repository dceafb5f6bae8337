import assert from "node:assert/strict";
import { RunnelError } from "../../lib/errors.ts";
import { Slots } from "../../lib/http/slots.ts";

/** What is answered where there is no slot, and what the audit log says of it. */
function refusalOf(slots: Slots, name: string): unknown {
  try {
    slots.take(name);
  } catch (error) {
    assert(error instanceof RunnelError);
    const { code, audit } = error;
    return { code, limit: audit.limit };
  }
  return undefined;
}

Deno.test("take() gives as many slots as there are, and again those that were given back", () => {
  const slots = new Slots({ what: "streams", code: "too_many_streams", most: 2 });
  const leave = slots.take("a");
  slots.take("b");
  assert.deepEqual(refusalOf(slots, "a"), { code: "too_many_streams", limit: "streams" });
  leave();
  assert.equal(refusalOf(slots, "c"), undefined);
  assert.equal(slots.taken, 2);
});

Deno.test("take() counts each identity by itself", () => {
  const slots = new Slots({ what: "requests", code: "too_many_requests", mostOfOne: 1 });
  const leave = slots.take("a");
  assert.equal(refusalOf(slots, "b"), undefined);
  const refusal = { code: "too_many_requests", limit: "requests of an identity" };
  assert.deepEqual(refusalOf(slots, "a"), refusal);
  leave();
  assert.equal(refusalOf(slots, "a"), undefined);
});

Deno.test("a slot that is given back twice counts once", () => {
  const slots = new Slots({ what: "streams", code: "too_many_streams", most: 2, mostOfOne: 2 });
  const leave = slots.take("a");
  slots.take("a");
  leave();
  leave();
  assert.equal(slots.taken, 1);
  slots.take("a");
  assert.notEqual(refusalOf(slots, "a"), undefined);
});

Deno.test("slots without a limit are never refused", () => {
  const slots = new Slots({ what: "streams", code: "too_many_streams" });
  for (let i = 0; i < 1_000; i++) slots.take("a");
  assert.equal(slots.taken, 1_000);
});
