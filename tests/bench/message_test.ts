import assert from "node:assert/strict";
import { SMALL_DATA } from "./message.ts";

Deno.test("SMALL_DATA is 100 bytes of JSON", () => {
  assert.equal(new TextEncoder().encode(JSON.stringify(SMALL_DATA)).length, 100);
});
