/** A real Chromium, headless, with an empty profile of its own. */
import { findChromium } from "../../lib/cli/test_tools.ts";
import { type Browser, chromium, type Page } from "playwright-core";

/** A page in a running Chromium. Disposing it ends the browser. */
export interface BrowserPage extends AsyncDisposable {
  readonly page: Page;
  /** What the page wrote to its console, one text a line. */
  readonly console: readonly string[];
}

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Whether tests that need a browser are to be skipped: `SKIP_BROWSER_TESTS` says so, as where none can be had. */
export const skipsBrowser = Boolean(Deno.env.get("SKIP_BROWSER_TESTS"));

if (skipsBrowser) console.error("skipped: browser tests, as SKIP_BROWSER_TESTS is set");

/**
 * Opens a page in a Chromium of its own, with further switches where they are given; `CHROMIUM` names another binary than PATH has.
 *
 * @throws {Error} when there is no Chromium.
 */
export async function openPage(
  url: string,
  { args = [] }: { args?: readonly string[] } = {},
): Promise<BrowserPage> {
  const executablePath = findChromium();
  if (executablePath === undefined) {
    throw new Error(
      "Cannot find Chromium: deno task test installs it, or CHROMIUM=<path> names it",
    );
  }
  const browser: Browser = await chromium.launch({ executablePath, args: [...ARGS, ...args] });
  const page = await browser.newPage();
  const lines: string[] = [];
  page.on("console", (message) => void lines.push(message.text()));
  await page.goto(url);
  return { page, console: lines, [Symbol.asyncDispose]: () => browser.close() };
}
