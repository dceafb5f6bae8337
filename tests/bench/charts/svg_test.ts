import assert from "node:assert/strict";
import { escapeXml } from "./svg.ts";

Deno.test("escapeXml() leaves nothing that XML would take for its own", () => {
  assert.equal(escapeXml(`<a b="c'">&\0`), "&lt;a b=&quot;c&apos;&quot;&gt;&amp;");
});
