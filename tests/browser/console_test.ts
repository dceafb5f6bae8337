import assert from "node:assert/strict";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { skipsBrowser } from "../_support/browser.ts";
import { type ConsolePage, openConsole } from "../_support/console_page.ts";
import { ALL, apiKey, JWT_ENV, token } from "../_support/credentials.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publish, send } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";
import { report, reportStream } from "../_support/stats_reports.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { deadline, until } from "../_support/until.ts";

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };

const topicNames = (page: Page) => page.locator(".topic-body .name a").allTextContents();

function waitForTopics(view: ConsolePage, wanted: readonly string[]): Promise<unknown> {
  return until(async () => {
    assert.deepEqual(await topicNames(view.page), wanted);
    return true;
  }, { timeoutMs: 20_000, what: `the topics ${wanted}` });
}

/** Publishes one message to each of some topics. */
async function makeTopics(url: string, topics: readonly string[]): Promise<void> {
  const json = topics.map((topic) => ({ topic, data: 1 }));
  assert.equal((await send(`${url}/batch`, { json })).status, 200);
}

/** What is written beside a chart's line. */
function legend(chart: string, label: string): string {
  return `[...document.querySelectorAll('[aria-label="${chart}"] .legend > div')]
    .find((one) => one.querySelector("dt").textContent === "${label}")?.querySelector("dd").textContent`;
}

Deno.test(
  "the welcome page leads to the console, where the first message is seen, on the charts and in the list",
  options,
  async () => {
    await using runnel = await startRunnel();
    await using view = await openConsole(runnel.url, {
      before: async (page) => {
        await page.goto(`${runnel.url}/`);
        assert.equal(await page.getByRole("link", { name: "Documentation" }).count(), 1);
        assert.equal(
          await page.getByText(`curl -d "Hello" ${runnel.url}/publish/topic1`).count(),
          1,
        );
        await page.getByRole("link", { name: "Console", exact: true }).click();
      },
    });
    await view.light("Live");
    await view.shows("No topic yet");
    await view.shows(`curl -d "Hello" ${runnel.url}/publish/topic1`);
    await view.page.getByRole("button", { name: "Publish “Hello” to topic1" }).click();
    await waitForTopics(view, ["topic1"]);
    await view.shows("Published “Hello” to topic1");
    const { body } = await send(`${runnel.url}/topics/topic1/messages`);
    assert.equal((body.messages as { data: unknown }[])[0]?.data, "Hello");
    await view.until(`${legend("Messages per second", "in")} !== "–"`);
    view.verify();
  },
);

Deno.test(
  "the overview shows what is published, delivered, subscribed, worked on and refused, and what Redis says",
  options,
  async () => {
    await using runnel = await startRunnel();
    await using view = await openConsole(runnel.url);
    await view.until(`${legend("Subscribers", "open")} === "0"`);
    await using stream = await openStream(`${runnel.url}/subscribe/jobs`);
    await stream.until("$ready");
    await view.until(`${legend("Subscribers", "open")} === "1"`);
    const highest = (chart: string, label: string) => `
      (globalThis.most ??= {})["${chart} ${label}"] =
        Math.max(globalThis.most["${chart} ${label}"] ?? 0, parseFloat(${
      legend(chart, label)
    }) || 0)`;
    const json = Array.from({ length: 50 }, (_, data) => ({ topic: "jobs", data }));
    await send(`${runnel.url}/batch`, { json });
    await view.until(`(${highest("Messages per second", "in")}) > 5`);
    await view.until(`(${highest("Messages per second", "out")}) > 5`);
    await send(`${runnel.url}/pull`, {
      json: { topic: "jobs", group: "workers", since: "earliest", max: 5 },
    });
    await view.until(`${legend("Work in groups", "pending")} === "5"`);
    await view.until(`${legend("Work in groups", "lag")} === "45"`);
    await view.until(`/^[0-9.]+ [KM]B$/.test(${legend("Redis memory", "used")})`);
    await view.until(`/^[0-9.]+ ms$/.test(${legend("Latency", "Redis")})`);
    // whatever the second, so long as it is seen in one
    const refusing = setInterval(() => void send(`${runnel.url}/pull`, { json: {} }), 200);
    await view.until(`(${highest("Errors per second", "refused")}) > 0`);
    clearInterval(refusing);
    await view.until(`document.querySelectorAll(".chart canvas").length === 6`);
    await view.until(
      `document.querySelector('[data-index="0"] .groups').textContent.includes("lag 45")`,
    );
    await view.until(
      `document.querySelector('[data-index="0"]').textContent.includes("1subscribers")`,
    );
    view.verify();
  },
);

Deno.test(
  "a topic's rate, count and age are on the move, and a topic that is deleted goes",
  options,
  async () => {
    await using runnel = await startRunnel();
    await makeTopics(runnel.url, ["busy", "gone", "idle"]);
    await using view = await openConsole(runnel.url);
    await waitForTopics(view, ["busy", "gone", "idle"]);
    const busy = `document.querySelector('[data-index="0"]')`;
    const sending = setInterval(() => void publish(runnel.url, { topic: "busy", data: 1 }), 100);
    await view.until(`parseFloat(${busy}.querySelector(".rate .number").textContent) > 0`);
    await view.until(`${busy}.querySelector(".spark").getAttribute("d").includes("L")`);
    await view.until(`${busy}.querySelector(".last").textContent === "now"`);
    clearInterval(sending);
    await view.until(
      `document.querySelector('[data-index="2"] .last').textContent.endsWith(" s ago")`,
    );
    await send(`${runnel.url}/topics/gone`, { method: "DELETE" });
    await waitForTopics(view, ["busy", "idle"]);
    await makeTopics(runnel.url, ["between", "zzz"]);
    await waitForTopics(view, ["between", "busy", "idle", "zzz"]);
    view.verify();
  },
);

Deno.test(
  "a name that is markup is shown as what it is, in the list, the search and the title",
  options,
  async () => {
    await using runnel = await startRunnel();
    const names = ["<img/src=x/onerror=alert(1)>", "<script>alert(2)</script>", "\"'&lt;"].sort();
    await makeTopics(runnel.url, names);
    await using view = await openConsole(runnel.url);
    await waitForTopics(view, names);
    await view.page.getByLabel("Search topics").fill("<b>nothing</b>");
    await view.shows("Nothing is called “<b>nothing</b>”");
    await view.page.getByLabel("Search topics").fill("<script>");
    await waitForTopics(view, ["<script>alert(2)</script>"]);
    await view.page.locator(".topic-body .name a").click();
    await view.until(`document.title === "<script>alert(2)</script> · Runnel"`);
    assert.equal(await view.page.locator("img, main script").count(), 0);
    view.verify();
  },
);

Deno.test(
  "100,000 topics are searched and scrolled, with few of them loaded and in the page",
  options,
  async () => {
    await using runnel = await startRunnel();
    for (let start = 0; start < 100_000; start += 1_000) {
      const names = Array.from({ length: 1_000 }, (_, i) => `t.${`${start + i}`.padStart(6, "0")}`);
      await makeTopics(runnel.url, names);
    }
    await using view = await openConsole(runnel.url);
    const { page } = view;
    await view.until(`document.querySelector('[data-index="0"]') !== null`);
    await view.shows("more than 200");
    for (let i = 0; i < 3; i++) {
      const before = await page.evaluate("document.documentElement.scrollHeight") as number;
      await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)");
      await view.until(`document.documentElement.scrollHeight > ${before}`);
    }
    await view.until(`document.querySelectorAll(".topic-body .topic-line").length > 10`);
    const lines = await page.locator(".topic-body .topic-line").count();
    assert.ok(lines < 60, `${lines} rows in the page`);
    assert.ok(view.asked.filter((path) => path.startsWith("/topics?")).length < 40);
    await page.getByLabel("Search topics").fill("t.09999");
    await waitForTopics(view, Array.from({ length: 10 }, (_, i) => `t.09999${i}`));
    await view.shows("10 found");
    view.verify();
  },
);

Deno.test(
  "the light tells of a Redis that went, a server that went, and of both when they are back",
  options,
  async () => {
    await using runnel = await startRunnel({ redis: { appendonly: true } });
    await makeTopics(runnel.url, ["kept"]);
    await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
    await using view = await openConsole(`http://127.0.0.1:${proxy.port}`);
    await view.light("Live");
    await waitForTopics(view, ["kept"]);
    await runnel.redis.kill9();
    await view.light("Redis is away");
    await view.shows("You see what was known last");
    assert.deepEqual(await topicNames(view.page), ["kept"]);
    await runnel.redis.restart();
    await view.light("Live");
    await view.lacks("You see what was known last");
    await view.until(`document.querySelectorAll(".chart canvas").length === 6`);
    proxy.down();
    await view.light("Server unreachable");
    await view.shows("server heard ");
    proxy.up();
    await view.light("Live");
    await makeTopics(runnel.url, ["later"]);
    await waitForTopics(view, ["kept", "later"]);
    // half open: nothing is refused, and nothing comes
    proxy.stall();
    await view.light("Server unreachable");
    proxy.unstall({ forget: true });
    await view.light("Live");
    view.verify();
  },
);

Deno.test(
  "what is not known of a minute is a hole in the charts, and no line across it",
  options,
  async () => {
    await using runnel = await startRunnel();
    const now = Date.now();
    const seconds = Array.from({ length: 240 }, (_, i) => i).filter((ago) => ago < 80 || ago > 140);
    const reports = seconds.reverse().flatMap((ago) =>
      ["a", "b"].map((instance) => report({ at: now - ago * 1_000, instance }))
    );
    await using view = await openConsole(runnel.url, {
      before: (page) =>
        page.route(
          "**/subscribe?*",
          (route) =>
            route.fulfill({ contentType: "text/event-stream", body: reportStream(reports) }),
        ),
    });
    // both instances together
    await view.until(`${legend("Subscribers", "open")} !== undefined`);
    await view.page.evaluate(`globalThis.columns = (chart) => {
      const canvas = document.querySelector('[aria-label="' + chart + '"] canvas');
      const over = document.querySelector('[aria-label="' + chart + '"] .u-over');
      const scale = canvas.width / canvas.clientWidth;
      const [left, width] = [over.offsetLeft * scale, over.offsetWidth * scale];
      const { data } = canvas.getContext("2d").getImageData(left, 0, width, canvas.height);
      // where a line or what is below it covers the column: a colour that is no grey
      const isInked = (x) => {
        for (let y = 0; y < canvas.height; y++) {
          const [r, g, b, a] = data.slice((y * width + x) * 4, (y * width + x) * 4 + 4);
          if (a > 20 && Math.max(r, g, b) - Math.min(r, g, b) > 40) return true;
        }
        return false;
      };
      return Array.from({ length: Math.floor(width) }, (_, x) => isInked(x));
    }`);
    await view.until(`columns("Subscribers").some(Boolean)`);
    const columns = await view.page.evaluate(`columns("Subscribers")`) as boolean[];
    const text = columns.map((isInked) => isInked ? "#" : ".").join("").replace(/(.)\1+/g, "$1");
    // there, away, there, and at the end what passed since
    assert.match(text, /^\.?#\.#\.?$/);
    view.verify();
  },
);

Deno.test(
  "with a clock that is an hour off, ages and charts go by the server's",
  options,
  async () => {
    for (const hours of [1, -1]) {
      await using runnel = await startRunnel();
      await makeTopics(runnel.url, ["t"]);
      await using view = await openConsole(runnel.url, {
        before: (page) =>
          page.addInitScript(`{
            const now = Date.now.bind(Date);
            Date.now = () => now() + ${hours} * 3600_000;
          }`),
      });
      await view.light("Live");
      await view.until(
        `/^(now|[0-9]+ s ago)$/.test(document.querySelector('[data-index="0"] .last')?.textContent)`,
      );
      await view.until(`${legend("Subscribers", "open")} === "0"`);
      view.verify();
    }
  },
);

Deno.test(
  "a tab that is not seen asks for nothing, and asks at once when it is",
  options,
  async () => {
    await using runnel = await startRunnel();
    await makeTopics(runnel.url, ["t"]);
    await using view = await openConsole(runnel.url);
    await waitForTopics(view, ["t"]);
    const hide = (isHidden: boolean) =>
      view.page.evaluate(`
      Object.defineProperty(document, "hidden", { configurable: true, value: ${isHidden} });
      document.dispatchEvent(new Event("visibilitychange"));
    `);
    await hide(true);
    await makeTopics(runnel.url, ["while-away"]);
    // several of its own periods go by
    await using stats = await openStream(`${runnel.url}/subscribe?topic=$stats`);
    await stats.until("stats");
    const before = view.asked.length;
    for (let i = 0; i < 7; i++) await stats.until("stats");
    assert.deepEqual(view.asked.slice(before), []);
    await hide(false);
    await waitForTopics(view, ["t", "while-away"]);
    await view.light("Live");
    view.verify();
  },
);

Deno.test(
  "with keys, the console asks for one, keeps it in the tab, says what it may not, and forgets it",
  options,
  async () => {
    const reader = apiKey("reader", { subscribe: ["orders.*"] });
    const manager = apiKey("manager", { ...ALL, manage: true });
    const keys = JSON.stringify([reader.key, manager.key]);
    await using runnel = await startRunnel({ env: { RUNNEL_AUTH: "keys", RUNNEL_KEYS: keys } });
    const headers = { authorization: `Bearer ${manager.text}` };
    const json = ["orders.eu", "other"].map((topic) => ({ topic, data: 1 }));
    assert.equal((await send(`${runnel.url}/batch`, { json, headers })).status, 200);
    await using view = await openConsole(runnel.url);
    const { page } = view;
    const signIn = async (text: string) => {
      await page.getByLabel("Key or token").fill(text);
      await page.getByRole("button", { name: "Sign in" }).click();
    };
    await view.until(`document.activeElement?.type === "password"`);
    await signIn("two words");
    await view.shows("in one line");
    await signIn(`${reader.text.slice(0, -4)}AAAA`);
    await view.shows("This key or token is not taken here: ");
    assert.equal(await page.evaluate("sessionStorage.length"), 0);
    await signIn(`Bearer ${reader.text}`);
    await waitForTopics(view, ["orders.eu"]);
    await view.shows("they need the right to manage, or to subscribe to $stats");
    await view.light("Live");
    await page.reload();
    await waitForTopics(view, ["orders.eu"]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await view.shows("You have signed out");
    assert.equal(await page.evaluate("sessionStorage.length"), 0);
    assert.equal(await page.locator(".topic-line").count(), 0);
    await signIn(manager.text);
    await waitForTopics(view, ["orders.eu", "other"]);
    await view.until(`${legend("Subscribers", "open")} === "0"`);
    // nothing of it is left where others look
    assert.equal(await page.evaluate("localStorage.length"), 0);
    assert.ok(view.asked.every((path) => !path.includes(manager.text)));
    view.verify();
  },
);

Deno.test(
  "everything is done by keys: skip, search, go through the list, open, go back",
  options,
  async () => {
    await using runnel = await startRunnel();
    await makeTopics(runnel.url, Array.from({ length: 60 }, (_, i) => `t.${10 + i}`));
    await using view = await openConsole(runnel.url);
    const { page } = view;
    await view.until(`document.querySelector('[data-index="10"]') !== null`);
    await page.keyboard.press("Tab");
    await view.until(`document.activeElement.textContent === "Skip to the content"`);
    await page.keyboard.press("Enter");
    await view.until(`document.activeElement.id === "main"`);
    const focused = (name: string) =>
      view.until(`document.activeElement.textContent === "${name}"`);
    await page.keyboard.press("j");
    await focused("t.10");
    await page.keyboard.press("j");
    await page.keyboard.press("ArrowDown");
    await focused("t.12");
    await page.keyboard.press("k");
    await focused("t.11");
    for (let i = 0; i < 40; i++) await page.keyboard.press("j");
    await focused("t.51");
    await view.until(`(() => {
    const { top, bottom } = document.activeElement.getBoundingClientRect();
    return top > 52 && bottom < innerHeight;
  })()`);
    const outline = await page.evaluate(
      `getComputedStyle(document.activeElement, "::after").outlineStyle`,
    );
    assert.equal(outline, "solid");
    await page.keyboard.press("/");
    await view.until(`document.activeElement.type === "search"`);
    await page.keyboard.type("T.3");
    await waitForTopics(view, Array.from({ length: 10 }, (_, i) => `t.${30 + i}`));
    await page.keyboard.press("Enter");
    await view.until(`location.hash === "#/topics/t.30"`);
    // the address changes before the search is gone, where a key is a letter
    await view.until(`document.activeElement.type !== "search"`);
    await page.keyboard.press("g");
    await view.until(`location.hash === "#/"`);
    await page.keyboard.press("?");
    await view.until(`document.querySelector("dialog[open] h2")?.textContent === "Keys"`);
    await view.shows("Next topic");
    await page.keyboard.press("Escape");
    await view.until(`document.querySelector("dialog") === null`);
    view.verify();
  },
);

Deno.test(
  "the chosen colours are kept, and the machine's are followed where none are chosen",
  options,
  async () => {
    await using runnel = await startRunnel();
    await using view = await openConsole(runnel.url);
    const { page } = view;
    await view.light("Live");
    const background = () =>
      page.evaluate("getComputedStyle(document.documentElement).backgroundColor");
    await page.emulateMedia({ colorScheme: "light" });
    const light = await background();
    await page.emulateMedia({ colorScheme: "dark" });
    const dark = await background();
    assert.notEqual(light, dark);
    await page.getByRole("button", { name: "Colours: as the system" }).click();
    assert.equal(await background(), light);
    await page.reload();
    await page.getByRole("button", { name: "Colours: light" }).click();
    assert.equal(await background(), dark);
    await page.emulateMedia({ colorScheme: "light" });
    assert.equal(await background(), dark);
    await page.keyboard.press("t");
    assert.equal(await background(), light);
    await page.emulateMedia({ reducedMotion: "reduce" });
    const transition = await page.evaluate(
      `getComputedStyle(document.querySelector(".button")).transitionProperty`,
    );
    assert.equal(transition, "none");
    view.verify();
  },
);

Deno.test(
  "axe finds nothing wrong with any page, in light and in dark, wide and at 360 pixels, where nothing scrolls sideways",
  options,
  async () => {
    await using runnel = await startRunnel();
    const long = `long.${"name-".repeat(90)}`;
    await makeTopics(runnel.url, ["busy", long, "idle"]);
    await send(`${runnel.url}/pull`, { json: { topic: "busy", group: "g", since: "earliest" } });
    const key = apiKey("k", ALL);
    await using locked = await runnel.another({
      env: { RUNNEL_AUTH: "keys", RUNNEL_KEYS: JSON.stringify([key.key]) },
    });
    await using view = await openConsole(runnel.url);
    await view.light("Live");
    const browser = view.page.context().browser();
    assert.ok(browser);
    for (const colorScheme of ["light", "dark"] as const) {
      // what axe does to a page, the page's policy forbids
      const context = await browser.newContext({ colorScheme, bypassCSP: true });
      const page = await context.newPage();
      const check = async (what: string) => {
        // colours are the same at any width
        for (const width of colorScheme === "light" ? [1280, 360] : [360]) {
          await page.setViewportSize({ width, height: 740 });
          await page.evaluate(axe.source);
          const { violations } = await page.evaluate("axe.run()") as axe.AxeResults;
          const found = violations.map(({ id, nodes }) =>
            `${id}: ${nodes.map(({ html }) => html)}`
          );
          assert.deepEqual(found, [], `${what}, ${colorScheme}, ${width}`);
          const wide = await page.evaluate(`document.documentElement.scrollWidth > innerWidth`);
          assert.equal(wide, false, `${what} at ${width} scrolls sideways`);
        }
      };
      const shows = (selector: string) =>
        page.waitForSelector(selector, { timeout: 20_000, state: "attached" });
      await page.goto(`${runnel.url}/`);
      await check("the welcome page");
      await page.goto(`${runnel.url}/console`);
      await shows('[data-index="2"]');
      await shows(".chart canvas");
      await check("the overview");
      await page.getByLabel("Search topics").fill("nothing");
      await page.getByText("No topic matches").waitFor();
      await check("a search in vain");
      await page.getByLabel("Keys").click();
      await shows("dialog[open]");
      await check("the keys");
      await page.goto(`${locked.url}/console`);
      await page.getByLabel("Key or token").fill("wrong one");
      await page.keyboard.press("Enter");
      await shows(".wrong");
      await check("the form to sign in");
      await context.close();
    }
    view.verify();
  },
);

Deno.test(
  "seven tabs are live at the same time, over the six connections that they have together",
  options,
  async () => {
    await using runnel = await startRunnel();
    await makeTopics(runnel.url, ["t"]);
    await using view = await openConsole(runnel.url);
    const context = await view.page.context().browser()?.newContext();
    assert.ok(context);
    const tabs = await Promise.all(Array.from({ length: 7 }, () => context.newPage()));
    for (const page of tabs) await page.goto(`${runnel.url}/console`);
    for (const page of tabs) {
      await until(() => page.evaluate(`${legend("Subscribers", "open")} === "0"`), {
        timeoutMs: 30_000,
        what: "the charts of each tab",
      });
    }
    // and there is room for more
    await makeTopics(runnel.url, ["u"]);
    for (const page of tabs) await page.getByRole("link", { name: "u", exact: true }).waitFor();
    await context.close();
    view.verify();
  },
);

Deno.test("a browser that may keep nothing shows the console all the same", options, async () => {
  await using runnel = await startRunnel();
  await makeTopics(runnel.url, ["t"]);
  await using view = await openConsole(runnel.url, {
    before: (page) =>
      page.addInitScript(`for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(globalThis, name, { get() { throw new Error("nothing is kept"); } });
      }`),
  });
  await waitForTopics(view, ["t"]);
  await view.page.getByRole("button", { name: "Colours: as the system" }).click();
  await view.until(`document.documentElement.dataset.theme === "light"`);
  view.verify();
});

Deno.test("a tab that slept goes on where things are now", options, async () => {
  await using runnel = await startRunnel();
  await makeTopics(runnel.url, ["t"]);
  await using view = await openConsole(runnel.url);
  await waitForTopics(view, ["t"]);
  await view.until(`${legend("Subscribers", "open")} === "0"`);
  const browser = await view.page.context().newCDPSession(view.page);
  // nothing of the page runs: its timers stand still, and what comes waits at its door
  await browser.send("Debugger.enable");
  const sleeping = new Promise((resolve) => browser.once("Debugger.paused", resolve));
  await browser.send("Debugger.pause");
  await deadline(sleeping, 10_000, "the page to sleep");
  await makeTopics(runnel.url, ["overnight"]);
  await using stream = await openStream(`${runnel.url}/subscribe/t`);
  await stream.until("$ready");
  const before = view.asked.length;
  await using stats = await openStream(`${runnel.url}/subscribe?topic=$stats`);
  for (let i = 0; i < 7; i++) await stats.until("stats");
  assert.deepEqual(view.asked.slice(before), []);
  await browser.send("Debugger.disable");
  await waitForTopics(view, ["overnight", "t"]);
  await view.until(`${legend("Subscribers", "open")} === "1"`);
  await view.light("Live");
  view.verify();
});

Deno.test("who is signed in with a token is asked for another when it ends", options, async () => {
  await using runnel = await startRunnel({ env: JWT_ENV });
  const first = await token({ ...ALL, manage: true }, { endsIn: 10 });
  await using view = await openConsole(runnel.url);
  const signIn = async (text: string) => {
    await view.page.getByLabel("Key or token").fill(text);
    await view.page.getByRole("button", { name: "Sign in" }).click();
  };
  await signIn(first);
  await view.shows("No topic yet");
  await view.until(`document.querySelector("form h1")?.textContent === "Sign in"`);
  assert.equal(await view.page.evaluate("sessionStorage.length"), 0);
  await signIn(await token(ALL));
  await view.shows("No topic yet");
  view.verify();
});

const BYE = 'event: $bye\ndata: {"reason":"caught_up","retryMs":0}\n\n';

Deno.test(
  "a server that tells nothing on $stats is said to, and its topics are listed",
  options,
  async () => {
    await using runnel = await startRunnel();
    await makeTopics(runnel.url, ["t"]);
    await using view = await openConsole(runnel.url, {
      before: (page) =>
        page.addInitScript(`{
        const real = globalThis.fetch;
        const [ready, bye] = ${JSON.stringify([reportStream([]), BYE])}
          .map((text) => new TextEncoder().encode(text));
        globalThis.fetch = (url, init) => {
          if (!String(url).includes("%24stats")) return real(url, init);
          const body = new ReadableStream({
            start(stream) {
              stream.enqueue(ready);
              if (!String(url).includes("wait=0")) return;
stream.enqueue(bye);
stream.close();
            },
          });
          const headers = { "content-type": "text/event-stream" };
          return Promise.resolve(new Response(body, { headers }));
        };
      }`),
    });
    await waitForTopics(view, ["t"]);
    await view.shows("this server tells nothing on $stats");
    await view.light("Live");
    view.verify();
  },
);

Deno.test("a server that lets in nobody is not said to be live", options, async () => {
  await using runnel = await startRunnel({ env: { RUNNEL_AUTH: "" } });
  await using view = await openConsole(runnel.url);
  await view.light("Not configured");
  await view.until(`document.querySelector(".light .dot.ok") === null`);
  view.verify();
});
