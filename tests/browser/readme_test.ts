import assert from "node:assert/strict";
import { openPage, skipsBrowser } from "../_support/browser.ts";
import { startRunnel } from "../_support/fixture.ts";
import { until } from "../_support/until.ts";

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };
const README = new URL("../../README.md", import.meta.url);

Deno.test("the page of the README's example gets what it publishes", options, async () => {
  await using runnel = await startRunnel();
  const example = /```html\n([^]*?)```/.exec(await Deno.readTextFile(README))?.[1] ?? "";
  const html = example.replaceAll("http://localhost:8000", runnel.url);
  assert.notEqual(html, example);
  await using site = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(html, { headers: { "content-type": "text/html" } }),
  );
  await using browser = await openPage(`http://127.0.0.1:${site.addr.port}`);
  await until(() => browser.console.includes("topic1 Hello"), { what: "its message" });
  await until(async () => await browser.page.title() === "live", { what: "its title" });
});
