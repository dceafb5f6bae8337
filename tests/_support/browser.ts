/** A real Chromium, headless, with an empty profile of its own. */
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

/** Opens a page in a Chromium of its own; `CHROMIUM` names another binary than /usr/bin/chromium. */
export async function openPage(url: string): Promise<BrowserPage> {
  const browser: Browser = await chromium.launch({
    executablePath: Deno.env.get("CHROMIUM") ?? "/usr/bin/chromium",
    args: ARGS,
  });
  const page = await browser.newPage();
  const lines: string[] = [];
  page.on("console", (message) => void lines.push(message.text()));
  await page.goto(url);
  return { page, console: lines, [Symbol.asyncDispose]: () => browser.close() };
}
