import assert from "node:assert/strict";
import { covers } from "../../lib/codec/pattern_cover.ts";

const CASES: readonly [grant: string, name: string, expected: boolean][] = [
  ["orders", "orders", true],
  ["orders", "orders.eu", false],
  ["orders.*", "orders.eu", true],
  ["orders.*", "orders.*", true],
  ["orders.*", "orders.eu.*", false],
  ["orders.*", "orders.**", false],
  ["orders.**", "orders.*", true],
  ["orders.**", "orders.eu.*", true],
  ["orders.**", "orders**", false],
  ["orders.**", "orders", false],
  ["**", "*", true],
  ["**", "anything:at/all", true],
  ["*", "**", false],
  ["*", "a*", true],
  ["a*", "*", false],
  ["users.7.**", "users.77.x", false],
  ["users.7.**", "users.*.**", false],
  ["*.*", "a.b.c", false],
  ["**.**", "*", false],
  ["**", "$dead.jobs", false],
  ["*", "$dead", false],
  ["$dead.jobs", "$dead.jobs", true],
  ["$dead.*", "$dead.jobs", true],
  ["$dead.**", "$dead.*", true],
  ["$**", "orders", false],
  ["***", "**", false],
  ["**", "***", true],
];

for (const [grant, name, expected] of CASES) {
  Deno.test(`covers() ${expected ? "lets" : "does not let"} ${grant} stand for ${name}`, () => {
    assert.equal(covers(grant, name), expected);
  });
}

Deno.test("covers() takes time in proportion to both lengths, whatever the wildcards", () => {
  const grant = "*a".repeat(256), name = "a**".repeat(170);
  assert.equal(covers(grant, name), false);
  assert.equal(covers("**".repeat(256), name), true);
});
