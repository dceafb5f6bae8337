import assert from "node:assert/strict";
import { skipsBrowser } from "../_support/browser.ts";
import { range } from "../_support/fill.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { shareBrowser, type TopicConsole } from "../_support/topic_console.ts";
import { until } from "../_support/until.ts";

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };
const browser = shareBrowser();
/** So high that all rows of a small tail are in the page. */
const HIGH = { viewport: { width: 1280, height: 3_000 } };

/** Does not wait for the next attempt, unless that is made while the button is sought. */
async function tryNow({ page }: TopicConsole): Promise<void> {
  await page.getByRole("button", { name: "Try now" }).click({ timeout: 3_000 }).catch(() => {});
}

/** Publishes whole numbers, many a request. */
async function publishRange(url: string, topic: string, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += 2_000) {
    const lines = range(at, Math.min(at + 2_000, to)).map((data) =>
      JSON.stringify({ topic, data })
    );
    const response = await fetch(`${url}/batch`, {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: `${lines.join("\n")}\n`,
    });
    const text = await response.text();
    assert.ok(
      text.trimEnd().endsWith(`"accepted":${lines.length},"rejected":0}`),
      text.slice(-200),
    );
  }
}

Deno.test(
  "12,000 messages in a tail: few rows in the page, the newest shown, and it answers",
  options,
  async () => {
    await using runnel = await startRunnel();
    await publishRange(runnel.url, "a", 0, 10);
    await using view = await browser.open(runnel.url, "a");
    await view.page.getByText("10 received").waitFor();
    await view.page.evaluate(`{
      globalThis.frames = 0;
      globalThis.longest = 0;
      const count = () => requestAnimationFrame(() => (frames++, count()));
      count();
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
      }).observe({ type: "longtask" });
    }`);
    const publishing = publishRange(runnel.url, "a", 10, 12_000);
    // while they come, what is typed is there at once
    const filter = view.page.getByRole("searchbox");
    await filter.pressSequentially("1199");
    assert.equal(await filter.inputValue(), "1199");
    await publishing;
    await view.page.getByText("12,000 received").waitFor();
    await view.page.getByText("11 match").waitFor();
    // generous: the machine may do other things
    assert.ok(await view.page.evaluate("frames") as number > 10, "frames while they came");
    assert.ok(await view.page.evaluate("longest") as number < 5_000, "no long standstill");
    assert.deepEqual(await view.texts(), ["11199", ...range(11_990, 12_000).map(String)]);
    await filter.fill("");
    await view.when("document.querySelector('[role=option]').ariaSetSize === '10000'");
    await until(async () => (await view.texts()).at(-1) === "11999");
    const rows = await view.page.locator("[role=option]").count();
    assert.ok(rows > 10 && rows < 200, `${rows} rows`);
    // what is not there any more is said
    await view.page.getByText("the oldest 2,000 were dropped from this page").waitFor();
  },
);

Deno.test(
  "whoever reads in the middle of a tail is left there while messages come and go",
  options,
  async () => {
    await using runnel = await startRunnel();
    await publishRange(runnel.url, "a", 0, 9_000);
    await using view = await browser.open(runnel.url, "a");
    const { page } = view;
    await page.getByRole("button", { name: "Replay…" }).click();
    await page.getByRole("button", { name: "The beginning" }).click();
    await page.getByText("9,000 received").waitFor();
    await view.when(
      "document.querySelector('[role=option]').ariaSetSize === '9000'",
    );
    await page.evaluate(`{
      const list = document.querySelector("[role=listbox]");
      list.scrollTop = 4_000 * list.querySelector("[role=option]").offsetHeight + 7;
    }`);
    const edge = `[...document.querySelectorAll("[role=option]")].find((row) =>
    row.getBoundingClientRect().bottom > row.closest("[role=listbox]").getBoundingClientRect().top
  ).querySelector(".tl-text").textContent`;
    await view.when(`${edge} === "4000"`);
    await publishRange(runnel.url, "a", 9_000, 12_000);
    await page.getByText("the oldest 2,000 were dropped").waitFor();
    await view.when(
      `document.querySelector("[role=option]").getAttribute("aria-setsize") === "10000"`,
    );
    assert.equal(await page.evaluate(edge), "4000");
    await page.getByRole("button", { name: "Newest ↓" }).click();
    await until(async () => (await view.texts()).at(-1) === "11999");
  },
);

Deno.test(
  "a message of 5 MB is shown in part, then as a whole, and the page answers all the time",
  options,
  async () => {
    await using runnel = await startRunnel({ env: { RUNNEL_MAX_BODY_BYTES: "20000000" } });
    const text = "0123456789".repeat(500_000);
    await publishId(runnel.url, { topic: "a", data: text });
    await publishId(runnel.url, { topic: "a", data: { list: range(0, 500_000), text } });
    await using view = await browser.open(runnel.url, "a");
    const { page } = view;
    await view.list.getByText("0123456789").first().click();
    const message = page.getByRole("region", { name: "Message" });
    const payload = message.getByLabel("Payload", { exact: true });
    assert.ok((await payload.textContent() ?? "").length < 20_000);
    await message.getByRole("button", { name: "Show all 4.77 MB" }).click();
    await until(async () =>
      await payload.evaluate((element) => element.textContent?.length) === 5_000_000
    );
    // a filter is typed while it is there
    await page.getByRole("searchbox").pressSequentially("list");
    await page.getByText("1 match").waitFor();
    await view.list.getByText('{"list":[0,1,2').click();
    await message.getByRole("button", { name: /^list: \[ 3\.\d+ MB/ }).click();
    await message.getByRole("button", { name: "Show 500 more" }).click();
    await message.getByText("549", { exact: true }).waitFor();
    const elements = await page.evaluate("document.querySelectorAll('*').length") as number;
    assert.ok(elements < 5_000, `${elements} elements`);
    assert.deepEqual(view.complaints, []);
  },
);

Deno.test(
  "a tail goes on without a gap or a duplicate when Redis is stopped and started again",
  options,
  async () => {
    await using runnel = await startRunnel({ redis: { appendonly: true } });
    await publishRange(runnel.url, "a", 0, 10);
    await using view = await browser.open(runnel.url, "a", HIGH);
    await view.page.getByText("10 received").waitFor();
    await runnel.redis.stop();
    await view.page.locator(".tl-light").getByText("Waiting for Redis").or(
      view.page.locator(".tl-light").getByText("Not connected"),
    ).waitFor();
    await runnel.redis.restart();
    await until(
      async () =>
        (await send(`${runnel.url}/publish/a`, { method: "POST", body: "back" })).status === 200,
      { timeoutMs: 20_000, everyMs: 200 },
    );
    await publishRange(runnel.url, "a", 10, 30);
    await view.page.locator(".tl-light").getByText("Live").waitFor();
    const numbers = async () => (await view.texts()).filter((text) => text !== "back").join();
    await until(async () => await numbers() === range(0, 30).join(), {
      timeoutMs: 20_000,
      what: "all 30, in order",
    });
    assert.equal(await view.page.locator(".tl-row.is-gap").count(), 0);
  },
);

Deno.test(
  "a tail says that its connection broke, and comes back without a gap or a duplicate",
  options,
  async () => {
    await using runnel = await startRunnel();
    await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
    const url = `http://127.0.0.1:${proxy.port}`;
    await publishRange(runnel.url, "a", 0, 5);
    await using view = await browser.open(url, "a", HIGH);
    await view.page.getByText("5 received").waitFor();
    for (const round of [1, 2]) {
      proxy.down();
      await view.page.locator(".tl-light").getByText("Not connected").waitFor();
      await publishRange(runnel.url, "a", round * 5, round * 5 + 5);
      proxy.up();
      await tryNow(view);
      await view.page.locator(".tl-light").getByText("Live").waitFor();
      await until(async () => (await view.texts()).join() === range(0, round * 5 + 5).join());
    }
    assert.equal(await view.page.getByText("Connected again").count(), 2);
    assert.equal(await view.page.locator(".tl-row.is-gap").count(), 0);
  },
);

Deno.test("what retention removed while a tail was away is shown as a gap", options, async () => {
  await using runnel = await startRunnel();
  await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
  await publishRange(runnel.url, "a", 0, 3);
  await using view = await browser.open(`http://127.0.0.1:${proxy.port}`, "a", HIGH);
  await view.page.getByText("3 received").waitFor();
  proxy.down();
  await view.page.locator(".tl-light").getByText("Not connected").waitFor();
  // so large that no process keeps them for whoever comes back
  for (const n of range(3, 20)) {
    await publishId(runnel.url, { topic: "a", data: `${n} ${"x".repeat(20_000)}` });
  }
  await send(`${runnel.url}/topics/a`, { method: "PUT", json: { maxMessages: 2 } });
  proxy.up();
  await tryNow(view);
  await view.page.getByText("Messages are missing here: retention has removed them").waitFor();
  await until(async () => (await view.texts()).map(parseFloat).join() === "0,1,2,18,19");
});

Deno.test("a tab that slept comes back with what it missed", options, async () => {
  await using runnel = await startRunnel();
  await using proxy = startProxy({ port: Number(new URL(runnel.url).port) });
  await publishRange(runnel.url, "a", 0, 5);
  await using view = await browser.open(`http://127.0.0.1:${proxy.port}`, "a", {
    script: `{
        const now = Date.now;
        globalThis.slept = 0;
        Date.now = () => now() + slept;
      }`,
  });
  await view.page.getByText("5 received").waitFor();
  // meanwhile the connections die without a word, and much happens
  proxy.forget();
  await publishRange(runnel.url, "a", 5, 3_000);
  await view.page.evaluate(`
      slept = 3_600_000;
      document.dispatchEvent(new Event("visibilitychange"));
    `);
  await view.page.getByText("3,000 received").waitFor();
  await until(async () => (await view.texts()).at(-1) === "2999");
  assert.equal(await view.page.locator(".tl-row.is-gap").count(), 0);
});

Deno.test(
  "a topic that is deleted while it is looked at says so, and lives again with its next message",
  options,
  async () => {
    await using runnel = await startRunnel();
    await publishId(runnel.url, { topic: "a", data: "before" });
    await using view = await browser.open(runnel.url, "a", HIGH);
    await view.list.getByText("before").waitFor();
    assert.equal((await send(`${runnel.url}/topics/a`, { method: "DELETE" })).status, 204);
    await view.page.getByText("This topic was deleted while you looked").waitFor();
    // what was seen stays
    assert.deepEqual(await view.texts(), ["before"]);
    await publishId(runnel.url, { topic: "a", data: "after" });
    await view.list.getByText("after").waitFor();
    await view.page.getByText("This topic was deleted").waitFor({ state: "detached" });
  },
);

Deno.test("a topic that does not exist yet is made by its first message", options, async () => {
  await using runnel = await startRunnel();
  await using view = await browser.open(runnel.url, "new");
  await view.page.getByText("This topic does not exist yet").waitFor();
  await view.tab("History");
  await view.page.getByText("Nothing here").waitFor();
  await view.tab("Live");
  await view.page.getByLabel("Payload", { exact: true }).fill('"first"');
  await view.page.keyboard.press("Control+Enter");
  await view.list.getByText("first").waitFor();
  await view.page.getByText("This topic does not exist yet").waitFor({ state: "detached" });
});

Deno.test(
  "names and payloads that are HTML or script are shown as they are, and do nothing",
  options,
  async () => {
    const html = "<img/src=x/onerror=alert(1)>";
    const script = "javascript:alert(1)//";
    await using runnel = await startRunnel();
    const topic = `x${html}'"&amp;`;
    await publishId(runnel.url, {
      topic,
      data: { [html]: html, link: script, nested: ["</script><script>alert(2)</script>"] },
      type: html,
      key: script,
      headers: { [html]: html, link: script },
    });
    await publishId(runnel.url, { topic, data: `${script}\n<svg onload=alert(3)>` });
    await using view = await browser.open(runnel.url, topic);
    const { page } = view;
    await view.list.getByText(`{"${html}"`).click();
    const message = page.getByRole("region", { name: "Message" });
    await message.getByText("</script><script>alert(2)</script>").waitFor();
    await message.getByRole("button", { name: "Raw" }).click();
    await view.list.getByText("<svg onload=alert(3)>").click();
    await message.getByLabel("Payload", { exact: true }).getByText("<svg onload=alert(3)>")
      .waitFor();
    await send(
      `${runnel.url}/topics/${encodeURIComponent(topic)}/groups/${
        encodeURIComponent(html.replaceAll("*", ""))
      }`,
      {
        method: "PUT",
        json: { since: "earliest" },
      },
    );
    for (const name of ["History", "Groups", "Dead letters", "Settings"]) await view.tab(name);
    await page.getByRole("button", { name: "Delete the topic" }).click();
    await page.getByRole("dialog").getByText(html).first().waitFor();
    assert.equal(await page.locator("main img, main svg[onload], main script").count(), 0);
    assert.equal(await page.locator("a[href^='javascript']").count(), 0);
    assert.deepEqual(view.complaints, []);
  },
);
