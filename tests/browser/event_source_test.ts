import assert from "node:assert/strict";
import { type BrowserPage, openPage, skipsBrowser } from "../_support/browser.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

// the page's own policy forbids what Playwright's waitForFunction does
function waitFor(browser: BrowserPage, condition: string): Promise<unknown> {
  return until(() => browser.page.evaluate(condition), { timeoutMs: 20_000, what: condition });
}

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };

Deno.test(
  "the README's browser example works as pasted into the console of the welcome page",
  options,
  async () => {
    await using runnel = await startRunnel();
    await using browser = await openPage(runnel.url);
    const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
    const example = /```js\n([\s\S]*?)```/.exec(readme)?.[1] ?? "";
    assert.ok(example.includes("EventSource"));
    await browser.page.evaluate(example.replace("const stream", "globalThis.stream"));
    await waitFor(browser, "stream.readyState === 1");
    await until(async () => {
      const { body } = await send(`${runnel.url}/publish/topic1`, {
        method: "POST",
        body: "Hello",
      });
      await publishId(runnel.url, { topic: "orders.eu", data: { id: 7 } });
      assert.equal(body.duplicate, false);
      return browser.console.length >= 2;
    }, { what: "the browser's console to show both topics", everyMs: 100 });
  },
);

Deno.test(
  "a browser's EventSource resumes without a gap or a duplicate when its connection is cut again and again",
  options,
  async () => {
    await using runnel = await startRunnel();
    await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
    await using browser = await openPage(`http://127.0.0.1:${proxy.port}/`);
    await browser.page.evaluate(`
    globalThis.seen = [];
    globalThis.gaps = 0;
    globalThis.ready = 0;
    globalThis.stream = new EventSource("/subscribe?topic=a&topic=b.*");
    stream.onmessage = (event) => seen.push(JSON.parse(event.data).data);
    stream.addEventListener("$gap", () => gaps++);
    stream.addEventListener("$ready", () => ready++);
  `);
    await waitFor(browser, "ready === 1");
    // nothing was seen yet: only the id of $ready tells where to go on
    proxy.cutAll();
    const wanted: number[] = [];
    for (let i = 0; i < 30; i++) {
      await publishId(runnel.url, { topic: i % 2 === 0 ? "a" : `b.${i}`, data: i });
      wanted.push(i);
      if (i === 15) {
        await waitFor(browser, "seen.length >= 10");
      }
      if (i === 15) proxy.cutAll();
    }
    await waitFor(browser, "seen.length >= 30");
    assert.deepEqual(await browser.page.evaluate("seen"), wanted);
    assert.equal(await browser.page.evaluate("gaps"), 0);
  },
);

Deno.test("a browser's own EventSource reads $gap", options, async () => {
  await using runnel = await startRunnel();
  const first = await publishId(runnel.url, { topic: "a", data: 1 });
  for (let i = 0; i < 5; i++) await publishId(runnel.url, { topic: "a", data: i });
  await send(`${runnel.url}/topics/a`, { method: "PUT", json: { maxMessages: 2 } });
  await using browser = await openPage(runnel.url);
  await browser.page.evaluate(`
    globalThis.events = [];
    globalThis.stream = new EventSource("/subscribe/a?lastEventId=${first}");
    stream.onmessage = (event) => events.push(JSON.parse(event.data).data);
    stream.addEventListener("$gap", (event) => events.push(JSON.parse(event.data)));
  `);
  await waitFor(browser, "events.length >= 3");
  const [gap, ...messages] = await browser.page.evaluate("events") as [Record<string, unknown>];
  assert.equal(gap.topic, "a");
  assert.equal(gap.after, first);
  assert.equal(gap.reason, "retention");
  assert.deepEqual(messages, [3, 4]);
});

Deno.test("a page of a foreign origin cannot read a server on loopback", options, async () => {
  await using runnel = await startRunnel();
  await using browser = await openPage(runnel.url);
  const origin = "https://evil.example";
  const { status, body } = await send(`${runnel.url}/subscribe/a`, { headers: { origin } });
  assert.equal(status, 403);
  assert.equal(body.code, "origin_not_allowed");
  await browser.page.route(
    "https://evil.example/**",
    (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><title>evil</title>" }),
  );
  await browser.page.goto(`${origin}/`);
  const result = await browser.page.evaluate(
    `fetch("${runnel.url}/publish/a", { method: "POST", body: "x", mode: "no-cors" }).then(() => "sent", () => "failed")`,
  );
  assert.ok(result === "sent" || result === "failed");
  const { body: list } = await send(`${runnel.url}/topics`);
  assert.deepEqual(list.topics, []);
});
