import assert from "node:assert/strict";
import { requestIdOf } from "../../lib/http/request_id.ts";

const idOf = (own?: string) =>
  requestIdOf(
    new Request("http://h", { headers: own === undefined ? {} : { "x-request-id": own } }),
  );

Deno.test("requestIdOf() keeps a caller's own valid id", () => {
  for (const own of ["a", "A.b_c-9", "x".repeat(128)]) assert.equal(idOf(own), own);
});

Deno.test("requestIdOf() replaces an id that could harm a log or a header", () => {
  for (const own of ["", "a b", "<script>", "x".repeat(129), "é", 'a"b', "a,b"]) {
    assert.notEqual(idOf(own), own);
    assert.match(idOf(own), /^[A-Za-z0-9._-]{1,128}$/);
  }
});

Deno.test("requestIdOf() gives every request another id", () => {
  assert.equal(new Set(Array.from({ length: 1000 }, () => idOf())).size, 1000);
});
