/** The console's page of one topic, in a real Chromium that the tests of a file share. */
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { type BrowserPage, openPage, skipsBrowser } from "./browser.ts";
import { until } from "./until.ts";

/** Options of {@link ConsoleBrowser.open}. */
export interface ConsoleOptions extends BrowserContextOptions {
  /** Signs in with it. */
  readonly token?: string;
  /** Runs in the page before all else. */
  readonly script?: string;
}

/** A topic's page. Disposing it closes its tab. */
export interface TopicConsole extends AsyncDisposable {
  readonly page: Page;
  /** What the browser complained about: errors, and whatever the policy forbade. */
  readonly complaints: readonly string[];
  /** The list of messages that is shown. */
  readonly list: Locator;
  /** What stands in the payload column, as far as it is in the page. */
  texts(): Promise<string[]>;
  /** Chooses a tab. */
  tab(name: string): Promise<void>;
  /** Waits until an expression of the page is true; the page's own policy forbids what Playwright has for that. */
  when(expression: string): Promise<void>;
}

/** Opens a browser before the file's tests and ends it after them. To be called once, at the top of the file. */
export function shareBrowser(): ConsoleBrowser {
  const shared = new ConsoleBrowser();
  if (skipsBrowser) return shared;
  Deno.test.beforeAll(async () => {
    shared.blank = await openPage("about:blank");
  });
  Deno.test.afterAll(async () => await shared.blank?.[Symbol.asyncDispose]());
  return shared;
}

/** A browser that opens topics' pages, each in a profile of its own. */
export class ConsoleBrowser {
  blank: BrowserPage | undefined;

  /** Opens a topic's page. */
  async open(url: string, topic: string, options: ConsoleOptions = {}): Promise<TopicConsole> {
    const { token, script, ...rest } = options;
    const browser = this.blank?.page.context().browser();
    if (!browser) throw new Error("Cannot open a page: no test has begun");
    const context = await browser.newContext({
      viewport: { width: 1280, height: 900 },
      reducedMotion: "reduce",
      ...rest,
    });
    if (token !== undefined) {
      const text = JSON.stringify(token);
      await context.addInitScript(`sessionStorage.setItem("runnel-token", ${text})`);
    }
    if (script !== undefined) await context.addInitScript(script);
    const page = await context.newPage();
    page.setDefaultTimeout(20_000);
    const complaints: string[] = [];
    page.on("console", (line) => {
      if (line.type() === "error" && !isRefusal(line.text())) complaints.push(line.text());
    });
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("dialog", (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(`${url}/console#/topics/${encodeURIComponent(topic)}`);
    await page.getByRole("heading", { level: 1, name: topic, exact: true }).waitFor();
    return {
      page,
      complaints,
      list: page.getByRole("listbox"),
      texts: async () => await page.locator("[role=option].is-message .tl-text").allTextContents(),
      tab: async (name) => await page.getByRole("tab", { name }).click(),
      when: async (expression) => {
        await until(() => page.evaluate(expression), { timeoutMs: 20_000, what: expression });
      },
      [Symbol.asyncDispose]: async () => await context.close(),
    };
  }
}

/** Chromium writes down each answer that says no, and each connection that breaks, whatever the page makes of it. */
function isRefusal(line: string): boolean {
  return /^Failed to load resource/.test(line);
}
