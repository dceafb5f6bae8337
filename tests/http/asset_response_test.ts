import assert from "node:assert/strict";
import { gunzipSync } from "node:zlib";
import { type Asset, assetResponse } from "../../lib/http/asset_response.ts";

const ASSET: Asset = { type: "text/css; charset=utf-8", text: "a".repeat(1_000), hash: "h" };

function ask(headers: Record<string, string>): Promise<Response> {
  const request = new Request("http://localhost/app.css", { headers });
  return assetResponse(ASSET, { request, search: "" });
}

Deno.test("assetResponse() is compressed for whoever takes that, and for nobody else", async (t) => {
  for (const accepted of ["gzip", "deflate, GZIP;q=0.5", "br, gzip, *"]) {
    await t.step(accepted, async () => {
      const response = await ask({ "accept-encoding": accepted });
      assert.equal(response.headers.get("content-encoding"), "gzip");
      const bytes = new Uint8Array(await response.arrayBuffer());
      assert.ok(bytes.length < 100);
      assert.equal(new TextDecoder().decode(gunzipSync(bytes)), ASSET.text);
    });
  }
  for (const accepted of ["", "br", "gzip;q=0", "gzip; q=0.00", "xgzip"]) {
    await t.step(`"${accepted}"`, async () => {
      const response = await ask({ "accept-encoding": accepted });
      assert.equal(response.headers.get("content-encoding"), null);
      assert.equal(response.headers.get("vary"), "accept-encoding");
      assert.equal(await response.text(), ASSET.text);
    });
  }
});
