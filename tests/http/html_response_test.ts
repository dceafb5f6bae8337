import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { htmlResponse, sourceOf } from "../../lib/http/html_response.ts";
import { welcomePage } from "../../lib/http/welcome.ts";

/** The directives of a policy. */
function policyOf({ headers }: Response): Map<string, string> {
  const policy = headers.get("content-security-policy") ?? "";
  return new Map(
    policy.split("; ").map((directive) => {
      const space = directive.indexOf(" ");
      return [directive.slice(0, space), directive.slice(space + 1)];
    }),
  );
}

Deno.test("htmlResponse() allows nothing by itself, and no page can take that back", () => {
  for (const policy of [{}, { "default-src": "*", "frame-ancestors": "*" }]) {
    assert.deepEqual(Object.fromEntries(policyOf(htmlResponse("", policy))), {
      "default-src": "'none'",
      "base-uri": "'none'",
      "form-action": "'none'",
      "frame-ancestors": "'none'",
    });
  }
});

Deno.test("htmlResponse() shuts the page off from others", () => {
  const { headers } = htmlResponse("<p>");
  const names = [
    "content-type",
    "cache-control",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
  ];
  assert.deepEqual(names.map((name) => headers.get(name)), [
    "text/html; charset=utf-8",
    "no-store",
    "nosniff",
    "DENY",
    "no-referrer",
    "same-origin",
    "same-origin",
  ]);
  assert.match(headers.get("permissions-policy") ?? "", /camera=\(\)/);
});

Deno.test("welcomePage() has a style that its policy allows, and nothing else inline", async () => {
  const response = welcomePage("http://localhost:8000/", { isOpen: true });
  const policy = policyOf(response);
  const html = await response.text();
  const styles = [...html.matchAll(/<style>([^]*?)<\/style>/g)].map(([, style = ""]) => style);
  assert.equal(styles.length, 1);
  const hash = createHash("sha256").update(styles[0] ?? "").digest("base64");
  assert.equal(policy.get("style-src"), `'sha256-${hash}'`);
  assert.equal(sourceOf(styles[0] ?? ""), policy.get("style-src"));
  assert.doesNotMatch([...policy.values()].join(" "), /unsafe|\*|https?:/);
  assert.doesNotMatch(html, /<script| on[a-z]+=|style=/i);
});

Deno.test("welcomePage() says how a credential is shown where one is needed", async () => {
  const url = "http://localhost:8000/";
  const open = await welcomePage(url, { isOpen: true }).text();
  assert.match(open, /curl -d "Hello" http:\/\/localhost:8000\/publish\/topic1/);
  const closed = await welcomePage(url, { isOpen: false }).text();
  assert.match(closed, /curl -H "Authorization: Bearer \$RUNNEL_TOKEN" -d "Hello" http/);
  assert.match(closed, /EventSource\("\/subscribe\/topic1\?ticket=/);
});

Deno.test("welcomePage() shows no markup of whoever asks, and shows itself whatever the address", async () => {
  for (const url of ['http://a"><script>/', "http://%zz/", "http://[/", "http://a b/"]) {
    const response = welcomePage(url, { isOpen: true });
    assert.equal(response.status, 200);
    assert.doesNotMatch(await response.text(), /<script/);
  }
});
