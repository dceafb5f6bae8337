import assert from "node:assert/strict";
import { groupNameFault, requireGroupName } from "../../lib/broker/group_name.ts";

Deno.test("groupNameFault() takes printable names of 1 to 128 bytes", () => {
  for (const name of ["g", "a.b/c:d-e_f", "x".repeat(128), "é".repeat(64), "漢字", "$g", "-"]) {
    assert.equal(groupNameFault(name), undefined, name);
  }
});

Deno.test("groupNameFault() refuses what keys, frames and lists could not tell apart", () => {
  const names = ["", "a b", "a\tb", "a|b", "a*", "a,b", "\u200b", "\ud800", "x".repeat(129)];
  for (const name of [...names, "é".repeat(65)]) {
    assert.match(groupNameFault(name) ?? "", /^A group /, JSON.stringify(name));
  }
});

Deno.test("requireGroupName() gives the name, or points at the place and says what it is the name of", () => {
  assert.equal(requireGroupName("g", "?group"), "g");
  assert.throws(() => requireGroupName("|", "?consumer", "consumer"), {
    code: "invalid_group",
    message: "A consumer contains neither * nor |",
    errors: [{ pointer: "?consumer", detail: "A consumer contains neither * nor |" }],
  });
});
