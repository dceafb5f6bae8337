/** The web console in a real Chromium, watched for what it must never do. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { openPage } from "./browser.ts";
import { until, type UntilOptions } from "./until.ts";

/** Options of {@link openConsole}. */
export interface ConsoleOptions {
  /** What stands behind `/console`. @default "" */
  readonly place?: string;
  /** Prepares the page before it is opened. */
  readonly before?: (page: Page) => Promise<unknown>;
}

/** An open console. */
export interface ConsolePage extends AsyncDisposable {
  readonly page: Page;
  /** Paths that it asked for, with their queries. */
  readonly asked: readonly string[];
  /** Waits until an expression in the page is true. */
  until(expression: string, options?: UntilOptions): Promise<void>;
  /** Waits until the connection light says something. */
  light(text: string): Promise<void>;
  /** Waits until some text is in the page. */
  shows(text: string): Promise<void>;
  /** Waits until some text is not in the page. */
  lacks(text: string): Promise<void>;
  /**
   * Looks what went wrong so far.
   *
   * @throws {AssertionError} for an error of a script, a breach of the policy, or a request to another server.
   */
  verify(): void;
}

const PATIENCE_MS = 20_000;

/** Opens the console of the server at `url`. Disposing it ends the browser. */
export async function openConsole(
  url: string,
  { place = "", before }: ConsoleOptions = {},
): Promise<ConsolePage> {
  const browser = await openPage("about:blank");
  const { page } = browser;
  const asked: string[] = [];
  const wrong: string[] = [];
  page.on("request", (request) => {
    const to = new URL(request.url());
    if (to.origin === url) asked.push(to.pathname + to.search);
    else if (to.protocol !== "data:") wrong.push(`a request to ${to}`);
  });
  page.on("pageerror", (error) => void wrong.push(error.stack ?? String(error)));
  page.on("dialog", (dialog) => void wrong.push(`a dialog: ${dialog.message()}`));
  await page.setViewportSize({ width: 1280, height: 800 });
  await before?.(page);
  await page.goto(`${url}/console${place}`);
  const untilTrue = async (expression: string, options: UntilOptions = {}) => {
    const patient = { timeoutMs: PATIENCE_MS, everyMs: 25, what: expression, ...options };
    await until(() => page.evaluate(expression), patient);
  };
  const text = "document.body.innerText";
  return {
    page,
    asked,
    until: untilTrue,
    light: (text) =>
      untilTrue(`document.querySelector(".light [role=status]")?.textContent === "${text}"`),
    shows: (wanted) => untilTrue(`${text}.includes(${JSON.stringify(wanted)})`),
    lacks: (unwanted) => untilTrue(`!${text}.includes(${JSON.stringify(unwanted)})`),
    verify() {
      const breaches = browser.console.filter((line) =>
        /Content Security Policy|Trusted ?Type|TrustedHTML|Refused to/i.test(line)
      );
      assert.deepEqual([...wrong, ...breaches], []);
    },
    [Symbol.asyncDispose]: () => browser[Symbol.asyncDispose](),
  };
}
