import assert from "node:assert/strict";
import { lightOf } from "../../lib/console/frame/light_saying.ts";

const LIVE = { kind: "live", stream: "open", unconfigured: undefined } as const;

Deno.test("the light is green where all is well", () => {
  assert.deepEqual(lightOf(LIVE), { kind: "live", tone: "ok", text: "Live" });
  assert.equal(lightOf({ ...LIVE, stream: undefined }).tone, "ok");
});

Deno.test("the light is not green where the server lets in nobody, or the stream is broken", () => {
  const unconfigured = "No authentication is configured";
  for (const stream of ["open", "broken", undefined] as const) {
    const { tone, text } = lightOf({ ...LIVE, stream, unconfigured });
    assert.deepEqual([tone, text], ["warn", "Not configured"]);
  }
  assert.equal(lightOf({ ...LIVE, stream: "broken" }).text, "Reconnecting");
});

Deno.test("the light tells first of what is away", () => {
  const facts = { ...LIVE, unconfigured: "No authentication is configured" };
  assert.equal(lightOf({ ...facts, kind: "away" }).text, "Redis is away");
  assert.equal(lightOf({ ...facts, kind: "unreachable" }).tone, "bad");
});
