import assert from "node:assert/strict";
import { readSlots } from "../../lib/redis/slots.ts";

const ASKED = { host: "asked", port: 1 };

Deno.test("readSlots() gives each range with the primary that has it, not its replicas", () => {
  const reply = [[0, 99, ["a", 7001, "id"], ["b", 7002, "id"]], [100, 16383, ["c", 7003, "id"]]];
  assert.deepEqual(readSlots(reply, ASKED), [
    { first: 0, last: 99, owner: { host: "a", port: 7001 } },
    { first: 100, last: 16383, owner: { host: "c", port: 7003 } },
  ]);
});

Deno.test("readSlots() takes whoever was asked for the host of a node that does not know its own", () => {
  for (const host of ["", null]) {
    const [range] = readSlots([[0, 16383, [host, 7001, "id"]]], ASKED);
    assert.deepEqual(range?.owner, { host: "asked", port: 7001 });
  }
});

Deno.test("readSlots() refuses a node that knows of no slots, and what is no reply to it", () => {
  assert.throws(() => readSlots([], ASKED), /has no slots/);
  assert.throws(() => readSlots([[0, 5]], ASKED), /has no slots/);
  assert.throws(() => readSlots("OK", ASKED), /Cannot read/);
});
