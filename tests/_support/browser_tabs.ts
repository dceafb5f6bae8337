/** Tabs of one browser, on a page of another origin than Runnel's that imports its client. */
import { type BrowserPage, openPage } from "./browser.ts";
import { until } from "./until.ts";
import type { BrowserContext, Page } from "playwright-core";

/** A browser whose tabs know `createClient`. Disposing it ends the browser and the page's server. */
export interface BrowserTabs extends AsyncDisposable {
  /** Opens one more tab. */
  open(): Promise<Page>;
  readonly context: BrowserContext;
  /** Where the page is. */
  readonly url: string;
  /** What went wrong in the tabs, one text each. */
  readonly errors: readonly string[];
}

/** Starts a browser whose tabs get their client from that address. */
export async function openTabs(runnelUrl: string): Promise<BrowserTabs> {
  await using stack = new AsyncDisposableStack();
  const html = `<!doctype html><title>page</title><script type="module">
    import { createClient } from "${runnelUrl}/client.js";
    globalThis.createClient = createClient;
  </script>`;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(html, { headers: { "content-type": "text/html" } }),
  );
  stack.defer(() => server.shutdown());
  // what counts as secure, so that there are Web Locks
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const browser: BrowserPage = stack.use(await openPage("about:blank"));
  const context = await browser.page.context().browser()!.newContext();
  const errors: string[] = [];
  context.on("weberror", (error) => void errors.push(error.error().message));
  const all = stack.move();
  return {
    context,
    url,
    errors,
    async open() {
      const page = await context.newPage();
      await page.goto(url);
      await waitFor(page, "typeof createClient === 'function'");
      return page;
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** Waits until an expression in a page is truthy. */
export async function waitFor(page: Page, expression: string): Promise<void> {
  await until(() => page.evaluate(expression), { timeoutMs: 60_000, what: expression });
}
