import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { openPage, skipsBrowser } from "../_support/browser.ts";
import { openRunnel } from "../_support/open_runnel.ts";

const PAGES = ["/docs", "/docs/how_it_works", "/docs/chaos"];
// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };

/** Where each colour of a page is seen. */
const COLOURS = "header, main > section:first-of-type, main > .prose, .method";

/**
 * What axe-core has against a page. It is given to the page past the page's own policy, by the browser's debugger. Of
 * thousands of words it would look at the colours of each, which takes it a minute: it looks where each colour is seen.
 */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const runs = [
    `axe.run({ rules: { "color-contrast": { enabled: false } } })`,
    `axe.run(${JSON.stringify(COLOURS)}, { runOnly: ["color-contrast"] })`,
  ];
  const found: string[] = [];
  for (const run of runs) {
    // a function of the page's, which this file's compiler does not see
    const result = await page.evaluate(run) as { violations: axe.Result[] };
    found.push(...result.violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`));
  }
  return found;
}

const widthBeyond = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

/** The first two show everything that axe-core looks at. */
const LOOKS = [
  { colorScheme: "light", width: 1_280, isExamined: true },
  { colorScheme: "dark", width: 360, isExamined: true },
  { colorScheme: "light", width: 360, isExamined: false },
  { colorScheme: "dark", width: 1_280, isExamined: false },
] as const;

Deno.test(
  "/docs and its pages are accessible and fit, light and dark, wide and narrow",
  options,
  async (t) => {
    await using runnel = await openRunnel({ redisUrl: "redis://127.0.0.1:1" });
    await using browser = await openPage(`${runnel.url}/docs`);
    const { page, console: lines } = browser;
    for (const path of PAGES) {
      for (const { colorScheme, width, isExamined } of LOOKS) {
        await t.step(`${path}, ${colorScheme}, ${width} px`, async () => {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 800 });
          await page.goto(runnel.url + path);
          assert.equal(await widthBeyond(page), 0);
          if (isExamined) assert.deepEqual(await violations(page), []);
        });
      }
    }
    // what the policy forbids is said there
    assert.deepEqual(lines, []);
  },
);

Deno.test(
  "/docs asks nobody but its server, and every link in it leads somewhere",
  options,
  async () => {
    await using runnel = await openRunnel({ redisUrl: "redis://127.0.0.1:1" });
    await using browser = await openPage(`${runnel.url}/docs`);
    const { page } = browser;
    const asked: string[] = [];
    page.on("request", (request) => asked.push(request.url()));
    for (const path of PAGES) {
      await page.goto(runnel.url + path);
      const links = await page.evaluate(
        "[...document.links].map(({ href, hash }) => [href, hash, !hash || !!document.getElementById(decodeURIComponent(hash.slice(1)))])",
      ) as [href: string, hash: string, isThere: boolean][];
      assert.ok(links.length > 0);
      for (const [href, , isThere] of links) {
        assert.ok(href.startsWith(runnel.url) && isThere, `${path} has a link to ${href}`);
      }
      const others = new Set(links.map(([href]) => href.split("#")[0]!));
      for (const href of others) {
        const answer = await fetch(href);
        await answer.body?.cancel();
        assert.equal(answer.status, 200, href);
      }
    }
    assert.deepEqual(asked, PAGES.map((path) => runnel.url + path));
  },
);

Deno.test(
  "/docs can be read from its first link to its content with the keyboard alone",
  options,
  async () => {
    await using runnel = await openRunnel({ redisUrl: "redis://127.0.0.1:1" });
    await using browser = await openPage(`${runnel.url}/docs`);
    const { page } = browser;
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate("document.activeElement.id"), "content");
    const errors = page.locator("#publish ~ details > summary").first();
    await errors.focus();
    await page.keyboard.press("Enter");
    assert.equal(await page.locator("#publish ~ details").first().getAttribute("open"), "");
  },
);

Deno.test("/docs works behind a prefix and with a slash at its end", options, async () => {
  await using runnel = await openRunnel({ redisUrl: "redis://127.0.0.1:1" });
  await using browser = await openPage(`${runnel.url}/some/where/docs/`);
  const { page } = browser;
  assert.match(
    await page.locator("#publish ~ pre", { hasText: "curl" }).first().innerText(),
    /\/some\/where\/publish$/,
  );
  await page.getByRole("link", { name: "How Runnel works" }).click();
  await page.waitForURL(`${runnel.url}/some/where/docs/how_it_works`);
  await page.getByRole("link", { name: "API reference" }).click();
  await page.waitForURL(`${runnel.url}/some/where/docs`);
});
