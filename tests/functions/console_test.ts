import assert from "node:assert/strict";
import { SCRIPT, STYLE } from "../../lib/console/built.ts";
import { startRunnel } from "../_support/fixture.ts";

const ASSETS = [
  ["app.js", SCRIPT, "text/javascript; charset=utf-8"],
  ["app.css", STYLE, "text/css; charset=utf-8"],
] as const;

/** The directives of a response's policy. */
function policyOf(response: Response): Map<string, string> {
  const text = response.headers.get("content-security-policy") ?? "";
  return new Map(
    text.split("; ").map((one) => {
      const [name = "", ...sources] = one.split(" ");
      return [name, sources.join(" ")];
    }),
  );
}

Deno.test("GET /console is a page with nothing inline, that may load and ask nothing but its own server", async () => {
  await using fixture = await startRunnel();
  const response = await fetch(`${fixture.url}/console`);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("x-frame-options"), "DENY");
  const policy = policyOf(response);
  assert.equal(policy.get("default-src"), "'none'");
  assert.equal(policy.get("frame-ancestors"), "'none'");
  assert.equal(policy.get("require-trusted-types-for"), "'script'");
  assert.equal(policy.get("trusted-types"), "'none'");
  assert.doesNotMatch([...policy.values()].join(" "), /unsafe|\*|https?:|nonce|sha256/);
  const html = await response.text();
  assert.doesNotMatch(html, /<style| on[a-z]+=| style=|<script>|https?:/i);
});

Deno.test("the console's script and style are kept for ever by their hash, and else confirmed by their tag", async () => {
  await using fixture = await startRunnel();
  const page = await (await fetch(`${fixture.url}/console`)).text();
  for (const [name, asset, type] of ASSETS) {
    const path = `console/${name}?v=${asset.hash}`;
    assert.ok(page.includes(`"${path}"`), name);
    const named = await fetch(`${fixture.url}/${path}`);
    assert.equal(named.status, 200);
    assert.equal(named.headers.get("content-type"), type);
    assert.equal(named.headers.get("cache-control"), "public, max-age=31536000, immutable");
    assert.equal(await named.text(), asset.text);
    const tag = named.headers.get("etag") ?? "";
    assert.equal(tag, `W/"${asset.hash}"`);
    for (const known of [tag, `"${asset.hash}"`, `"other", ${tag}`, "*"]) {
      const headers = { "if-none-match": known };
      const again = await fetch(`${fixture.url}/console/${name}`, { headers });
      assert.equal(again.status, 304, known);
      assert.equal(await again.text(), "");
      assert.equal(again.headers.get("cache-control"), "public, max-age=300");
    }
    const headers = { "if-none-match": `"other"` };
    const changed = await fetch(`${fixture.url}/console/${name}?v=other`, { headers });
    assert.equal(changed.status, 200);
    assert.equal(changed.headers.get("cache-control"), "public, max-age=300");
    assert.equal(await changed.text(), asset.text);
  }
});

Deno.test("the console answers HEAD, at any prefix and with a slash at its end, and nothing but GET", async () => {
  await using fixture = await startRunnel();
  for (
    const path of ["/console", "/functions/v1/console", "/console/app.js", "/a/console/app.css"]
  ) {
    const response = await fetch(fixture.url + path, { method: "HEAD" });
    assert.equal(response.status, 200, path);
    assert.equal(await response.text(), "");
    const posted = await fetch(fixture.url + path, { method: "POST" });
    assert.equal(posted.status, 405, path);
    assert.equal(posted.headers.get("allow"), "OPTIONS, GET, HEAD");
    await posted.body?.cancel();
  }
  // what a page asks for that was opened with a slash
  const base = `${fixture.url}/console/`;
  const html = await (await fetch(base)).text();
  const script = /src="([^"]+)"/.exec(html)?.[1] ?? "";
  const response = await fetch(new URL(script, base));
  assert.equal(response.headers.get("content-type"), "text/javascript; charset=utf-8");
  await response.body?.cancel();
});

Deno.test("the console is served while Redis is away: it is there to say so", async () => {
  await using fixture = await startRunnel({ redis: { appendonly: false } });
  await fixture.redis.kill9();
  const page = await fetch(`${fixture.url}/console`);
  assert.equal(page.status, 200);
  assert.match(await page.text(), /console\/app\.js/);
});
