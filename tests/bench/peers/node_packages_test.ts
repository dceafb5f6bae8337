import assert from "node:assert/strict";
import { PACKAGES, packagesFolder } from "./node_packages.ts";

Deno.test("packagesFolder() is another one for other versions", () => {
  const folder = packagesFolder("/tmp", PACKAGES);
  assert.match(folder, /^\/tmp\/runnel-bench-peers\/[0-9a-f]{16}$/);
  assert.equal(packagesFolder("/tmp", { ...PACKAGES }), folder);
  assert.notEqual(packagesFolder("/tmp", { ...PACKAGES, "ioredis": "0.0.0" }), folder);
});

Deno.test("PACKAGES are exact versions", () => {
  for (const version of Object.values(PACKAGES)) assert.match(version, /^\d+\.\d+\.\d+$/);
});
