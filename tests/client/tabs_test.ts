import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { createClient } from "../../lib/client/mod.ts";
import { skipsBrowser } from "../_support/browser.ts";
import { type BrowserTabs, openTabs, waitFor } from "../_support/browser_tabs.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };
const HEARTBEAT_MS = 3_000;
const env = { RUNNEL_HEARTBEAT_MS: `${HEARTBEAT_MS}` };

/** Subscribes in a page; what it gets is in `seen`. */
async function subscribe(page: Page, url: string, topics: readonly string[]): Promise<void> {
  await page.evaluate(`
    globalThis.seen = [];
    globalThis.events = [];
    globalThis.states = [];
    globalThis.client = createClient({ url: "${url}", heartbeatMs: ${HEARTBEAT_MS} });
    globalThis.stream = client.subscribe(${JSON.stringify(topics)}, {
      onMessage: ({ data }) => void seen.push(data),
      onEvent: (event) => void events.push(event.event),
      onState: ({ status }) => void states.push(status),
    });
  `);
  await waitFor(page, "stream.state.status === 'live'");
}

async function openSix(tabs: BrowserTabs, url: string): Promise<Page[]> {
  const pages: Page[] = [];
  for (let i = 0; i < 6; i++) {
    const page = await tabs.open();
    await subscribe(page, url, i % 2 === 0 ? ["a", `t.${i}`] : ["a", "t.*"]);
    pages.push(page);
  }
  return pages;
}

async function publishSome(url: string, from: number, to: number): Promise<void> {
  const client = createClient({ url });
  for (let i = from; i < to; i++) await client.publish("a", i);
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

async function assertSeen(pages: readonly Page[], count: number): Promise<void> {
  for (const page of pages) {
    await waitFor(page, `seen.length >= ${count}`);
    assert.deepEqual(await page.evaluate("seen"), numbers(count));
    const events = await page.evaluate("events") as string[];
    assert.ok(!events.includes("$gap"), `${events}`);
  }
}

Deno.test(
  "six tabs of a browser share one stream, and each can publish all the same",
  options,
  async () => {
    await using runnel = await startRunnel({ env });
    await using tabs = await openTabs(runnel.url);
    await publishId(runnel.url, { topic: "a", data: "before" });
    const pages = await openSix(tabs, runnel.url);
    const { body } = await send(`${runnel.url}/topics/a`);
    assert.equal(body.subscribers, 1, JSON.stringify(body));
    for (const [i, page] of pages.entries()) {
      await page.evaluate(`client.publish("a", ${i})`);
    }
    await assertSeen(pages, 6);
    // each its own topics: the odd ones have all of t.*
    await publishId(runnel.url, { topic: "t.4", data: 6 });
    for (const i of [1, 3, 4, 5]) await waitFor(pages[i]!, "seen.length === 7");
    await publishSome(runnel.url, 7, 8);
    for (const i of [0, 2]) {
      await waitFor(pages[i]!, "seen.length === 7");
      assert.deepEqual(await pages[i]!.evaluate("seen"), [0, 1, 2, 3, 4, 5, 7]);
    }
    assert.deepEqual(tabs.errors, []);
  },
);

Deno.test(
  "another tab takes over when the one that has the stream is closed, and none misses or repeats anything",
  options,
  async () => {
    await using runnel = await startRunnel({ env });
    await using tabs = await openTabs(runnel.url);
    const pages = await openSix(tabs, runnel.url);
    let next = 0;
    const publishing = (async () => {
      const client = createClient(runnel);
      while (next < 200) await client.publish("a", next++);
    })();
    for (let closed = 0; closed < 4; closed++) {
      await until(() => next > (closed + 1) * 30);
      await pages.shift()!.close();
    }
    await publishing;
    await assertSeen(pages, 200);
    assert.deepEqual(tabs.errors, []);
  },
);

Deno.test("tabs go on without a gap or a duplicate when links are cut", options, async () => {
  await using runnel = await startRunnel({ env });
  await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
  const url = `http://127.0.0.1:${proxy.port}`;
  await using tabs = await openTabs(runnel.url);
  const pages = await openSix(tabs, url);
  for (let i = 0; i < 5; i++) {
    await publishSome(runnel.url, i * 20, i * 20 + 10);
    proxy.cutAll();
    await publishSome(runnel.url, i * 20 + 10, i * 20 + 20);
    await waitFor(pages[0]!, `seen.length >= ${i * 20 + 5}`);
  }
  await assertSeen(pages, 100);
  assert.deepEqual(tabs.errors, []);
});

Deno.test(
  "the light of all tabs shows that the server is away, and that it is back",
  options,
  async () => {
    await using runnel = await startRunnel({ env });
    await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
    await using tabs = await openTabs(runnel.url);
    const pages = (await openSix(tabs, `http://127.0.0.1:${proxy.port}`)).slice(0, 6);
    proxy.stall();
    for (const page of pages) await waitFor(page, "stream.state.status !== 'live'");
    await publishSome(runnel.url, 0, 5);
    proxy.unstall({ forget: true });
    await assertSeen(pages, 5);
    for (const page of pages) await waitFor(page, "stream.state.status === 'live'");
  },
);

Deno.test(
  "a tab that holds the stream and stands still loses it, and has missed nothing when it comes to itself",
  options,
  async () => {
    await using runnel = await startRunnel({ env });
    await using tabs = await openTabs(runnel.url);
    const pages = await openSix(tabs, runnel.url);
    await publishSome(runnel.url, 0, 10);
    const [leader, ...others] = pages;
    const still = leader!.evaluate("for (const end = Date.now() + 15000; Date.now() < end;);");
    await publishSome(runnel.url, 10, 30);
    await assertSeen(others, 30);
    await still;
    await publishSome(runnel.url, 30, 40);
    await assertSeen(pages, 40);
    assert.deepEqual(tabs.errors, []);
  },
);

Deno.test(
  "a tab that is frozen gives the stream away, and reads up when it thaws",
  options,
  async () => {
    await using runnel = await startRunnel({ env });
    await using tabs = await openTabs(runnel.url);
    const pages = await openSix(tabs, runnel.url);
    await publishSome(runnel.url, 0, 10);
    const [leader, ...others] = pages;
    const session = await tabs.context.newCDPSession(leader!);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await publishSome(runnel.url, 10, 30);
    await assertSeen(others, 30);
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await publishSome(runnel.url, 30, 40);
    await assertSeen(pages, 40);
    assert.deepEqual(tabs.errors, []);
  },
);
