import assert from "node:assert/strict";
import { importedVersions } from "./imported_packages.ts";

Deno.test("importedVersions() names what is imported in exact versions", async () => {
  assert.match(await importedVersions(), /^ioredis \d+\.\d+\.\d+, bullmq \d+\.\d+\.\d+$/);
});
