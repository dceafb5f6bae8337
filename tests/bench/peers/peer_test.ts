import assert from "node:assert/strict";
import { MissingPeerError, outputOf, startIfThere } from "./peer.ts";

Deno.test("startIfThere() says what is missing and goes on without it", async () => {
  const said: string[] = [];
  const start = () => Promise.reject(new MissingPeerError("install it"));
  assert.equal(await startIfThere({ name: "x", start }, (text) => said.push(text)), undefined);
  assert.deepEqual(said, ["x is left out: install it"]);
});

Deno.test("startIfThere() does not hide that a peer failed", async () => {
  const start = () => Promise.reject(new Error("broken"));
  await assert.rejects(startIfThere({ name: "x", start }, () => {}), /broken/);
});

Deno.test("outputOf() knows nothing of a program that is not there", async () => {
  assert.equal(await outputOf("no-such-program-of-runnel", []), undefined);
});
