import assert from "node:assert/strict";
import { keysOf } from "../../lib/console/frame/keys_of.ts";
import { placeOf } from "../../lib/console/place.ts";

const keysAt = (hash: string) => keysOf(placeOf(hash)).map(([key]) => key).join(" ");

Deno.test("each page's help has the keys that do something there, and no others", () => {
  assert.equal(keysAt("#/"), "/ j k Enter g t ?");
  assert.equal(keysAt("#/topics/a"), "/ j k Enter p g t ?");
  assert.equal(keysAt("#/topics/a/history"), "j k Enter g t ?");
  assert.equal(keysAt("#/topics/a/settings"), "g t ?");
  assert.equal(keysOf(undefined).map(([key]) => key).join(" "), "g t ?");
});
