import assert from "node:assert/strict";
import { keysOf } from "../../../lib/cli/top/full_screen.ts";

Deno.test("keysOf() names the keys that have a name, however many come at once", () => {
  assert.deepEqual(keysOf("q\x1b[A\x1b[6~j\x1bOHx"), ["q", "up", "page down", "down", "home", "x"]);
  assert.deepEqual(keysOf("\x1b"), ["escape"]);
});
