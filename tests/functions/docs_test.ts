import assert from "node:assert/strict";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";

const NOWHERE = "redis://127.0.0.1:1";
const FOLDER = new URL("../../lib/docs/", import.meta.url);

/** The paths of the documentation: the reference, and a page for each file. */
function pathsOf(): string[] {
  const files = [...Deno.readDirSync(FOLDER)].map(({ name }) => name)
    .filter((name) => name.endsWith(".md"));
  assert.ok(files.length > 0);
  return ["docs", ...files.map((name) => `docs/${name.slice(0, -".md".length)}`).sort()];
}

async function textAt({ url }: Runnel, path: string): Promise<string> {
  const response = await fetch(`${url}/functions/v1/${path}`);
  const text = await response.text();
  assert.equal(response.status, 200, path);
  return text;
}

/** What an attribute is in a page, each once. */
function valuesOf(html: string, attribute: "href" | "id"): Set<string> {
  return new Set(
    [...html.matchAll(RegExp(`\\s${attribute}="([^"]*)"`, "g"))].map(([, one = ""]) => one),
  );
}

Deno.test("GET /docs lists a page for each file of lib/docs, by its title", async () => {
  await using runnel = await openRunnel({ redisUrl: NOWHERE });
  const html = await textAt(runnel, "docs");
  for (const path of pathsOf()) {
    assert.match(html, RegExp(`<a href="${path}"[^>]*>[^<]{5,}</a>`), path);
  }
});

Deno.test("every link of the documentation leads somewhere", async () => {
  await using runnel = await openRunnel({ redisUrl: NOWHERE });
  const seen = new Map<string, string>();
  for (const path of pathsOf()) {
    const here = new URL(`${runnel.url}/functions/v1/${path}`);
    for (const href of valuesOf(await textAt(runnel, path), "href")) {
      const url = new URL(href, here);
      if (url.origin !== here.origin) continue;
      const place = decodeURIComponent(url.hash.slice(1));
      url.hash = "";
      const there = url.href.slice(`${runnel.url}/functions/v1/`.length);
      const html = seen.get(there) ?? await textAt(runnel, there);
      seen.set(there, html);
      if (place !== "") assert.ok(valuesOf(html, "id").has(place), `${path}: ${href}`);
    }
  }
  assert.ok(seen.has("docs/grafana.json"));
});
