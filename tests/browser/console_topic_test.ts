import assert from "node:assert/strict";
import { skipsBrowser } from "../_support/browser.ts";
import { fill, range } from "../_support/fill.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { shareBrowser } from "../_support/topic_console.ts";
import { until } from "../_support/until.ts";

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };
const browser = shareBrowser();

Deno.test("a tail shows what was there, and messages the moment they come", options, async () => {
  await using runnel = await startRunnel();
  await publishId(runnel.url, { topic: "orders", type: "order.paid", key: "k1", data: { id: 7 } });
  await using view = await browser.open(runnel.url, "orders");
  await view.page.getByText('{"id":7}').waitFor();
  assert.equal(await view.list.getByText("order.paid").isVisible(), true);
  assert.equal(await view.list.getByText("k1").isVisible(), true);
  await publishId(runnel.url, { topic: "orders", data: "a text" });
  await view.page.getByText("a text").waitFor();
  assert.deepEqual(await view.texts(), ['{"id":7}', "a text"]);
  const log = view.page.getByRole("log");
  assert.equal(await log.getAttribute("aria-live"), "off");
  assert.deepEqual(view.complaints, []);
});

Deno.test(
  "a tail is paused, says how much it holds back, and goes on without a gap",
  options,
  async () => {
    await using runnel = await startRunnel();
    await fill(runnel.url, ["a"], 3);
    await using view = await browser.open(runnel.url, "a");
    await view.page.getByText("3 received").waitFor();
    await view.page.getByRole("button", { name: "Pause" }).click();
    await fill(runnel.url, ["a"], 5);
    const resume = view.page.getByRole("button", { name: "Resume · 5 held back" });
    await resume.waitFor();
    assert.equal((await view.texts()).length, 3);
    // keys do the same
    await view.list.focus();
    await view.page.keyboard.press("p");
    await view.when("document.querySelectorAll('[role=option]').length === 8");
    assert.deepEqual(await view.texts(), ["0", "1", "2", "0", "1", "2", "3", "4"]);
    await view.page.getByRole("button", { name: "Clear" }).click();
    await view.page.getByText("Nothing yet").waitFor();
  },
);

Deno.test("a tail is filtered by text in payload, type, key and headers", options, async () => {
  await using runnel = await startRunnel();
  await publishId(runnel.url, { topic: "a", data: { name: "Zoë" } });
  await publishId(runnel.url, { topic: "a", data: 1, type: "order.paid" });
  await publishId(runnel.url, { topic: "a", data: 2, headers: { region: "eu" } });
  await using view = await browser.open(runnel.url, "a");
  await view.page.getByText("3 received").waitFor();
  await view.list.focus();
  await view.page.keyboard.press("/");
  for (const [text, left] of [["zoë", '{"name":"Zoë"}'], ["PAID", "1"], ["region", "2"]] as const) {
    await view.page.keyboard.press("Control+A");
    await view.page.keyboard.type(text);
    await view.page.getByText("1 match").waitFor();
    await until(async () => (await view.texts()).join() === left, { what: `${left} for ${text}` });
  }
  await publishId(runnel.url, { topic: "a", data: "another Region" });
  await publishId(runnel.url, { topic: "a", data: "something else" });
  await view.page.getByText("5 received").waitFor();
  await until(async () => (await view.texts()).join() === "2,another Region");
  await view.page.getByRole("searchbox").fill("no such text");
  await view.page.getByText("No message has this text").waitFor();
});

Deno.test(
  "a tail is replayed from the beginning, a time span, a time and an id",
  options,
  async () => {
    await using runnel = await startRunnel();
    const stored = await fill(runnel.url, ["a"], 150);
    await using view = await browser.open(runnel.url, "a");
    const { page } = view;
    await page.getByText("100 received").waitFor();
    const replay = async (place: string, from: (dialog: typeof page) => Promise<void>) => {
      await page.getByRole("button", { name: "Replay…" }).click();
      await from(page);
      await page.getByText(place).waitFor();
    };
    await replay("150 received", () => page.getByRole("button", { name: "The beginning" }).click());
    const field = page.getByLabel("Or a message id");
    await replay("50 received", async () => {
      await field.fill(stored[99]?.id ?? "");
      await field.press("Enter");
    });
    assert.equal((await view.texts()).at(-1), "149");
    await replay("150 received", async () => {
      await field.fill("1h");
      await field.press("Enter");
    });
    await replay("0 received", async () => {
      await page.getByLabel("A time", { exact: true }).fill("2030-01-01T00:00:00");
      await page.getByRole("button", { name: "Replay", exact: true }).click();
    });
    // what the server does not understand it says at the field
    await page.getByRole("button", { name: "Replay…" }).click();
    await field.fill("yesterday");
    await field.press("Enter");
    await page.getByText(/^Expected latest, earliest/).waitFor();
    assert.equal(await field.getAttribute("aria-invalid"), "true");
    await field.fill("last:7");
    await field.press("Enter");
    await page.getByText("7 received").waitFor();
  },
);

Deno.test("a message is inspected: its facts, its payload as a tree and raw", options, async () => {
  await using runnel = await startRunnel();
  const text = '{"total":12345678901234567890,"items":[{"sku":"A-1"}],"note":null}';
  await send(`${runnel.url}/publish/a?type=paid&key=k`, {
    method: "POST",
    body: text,
    headers: { "content-type": "application/json" },
  });
  await using view = await browser.open(runnel.url, "a");
  await view.list.getByText("paid").click();
  const message = view.page.getByRole("region", { name: "Message" });
  // every number as it was written
  await message.getByText("12345678901234567890").waitFor();
  const items = message.getByRole("button", { name: /^items/ });
  assert.equal(await items.getAttribute("aria-expanded"), "true");
  await items.click();
  await message.getByText("1 item").waitFor();
  assert.equal(await message.getByText('"A-1"').count(), 0);
  await message.getByRole("button", { name: "Raw" }).click();
  assert.equal(await message.getByLabel("Payload", { exact: true }).textContent(), text);
  await view.page.keyboard.press("Escape");
  await message.waitFor({ state: "detached" });
  assert.equal(await view.page.evaluate("document.activeElement.getAttribute('role')"), "listbox");
});

Deno.test("the list is walked by keys, and a message entered and left", options, async () => {
  await using runnel = await startRunnel();
  await fill(runnel.url, ["a"], 300);
  await using view = await browser.open(runnel.url, "a");
  const { page, list } = view;
  await page.getByText("100 received").waitFor();
  await list.focus();
  const payload = page.getByRole("region", { name: "Message" }).getByLabel("Payload", {
    exact: true,
  });
  for (
    const [key, shown] of [
      ["Home", "200"],
      ["ArrowDown", "201"],
      ["j", "202"],
      ["k", "201"],
      ["End", "299"],
      ["ArrowUp", "298"],
    ]
  ) {
    await page.keyboard.press(key ?? "");
    await until(async () => await payload.textContent() === shown, { what: `${shown} at ${key}` });
    const active = await list.getAttribute("aria-activedescendant") ?? "";
    const position = `document.getElementById(${
      JSON.stringify(active)
    }).getAttribute("aria-posinset")`;
    assert.equal(await page.evaluate(position), `${Number(shown) - 199}`);
  }
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("document.activeElement.textContent"), "Message");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate("document.activeElement.getAttribute('role')"), "listbox");
});

Deno.test(
  "a message is copied as JSON, and as a curl command that publishes it again",
  options,
  async () => {
    await using runnel = await startRunnel();
    const data = { quote: `it's "$HOME"`, n: 1 };
    await publishId(runnel.url, { topic: "a", data, type: "t", headers: { h: "v" } });
    await using view = await browser.open(runnel.url, "a", {
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await view.list.getByText("quote").click();
    const copied = async (name: string): Promise<string> => {
      await view.page.getByRole("button", { name }).click();
      await view.page.getByText("Copied ✓").waitFor();
      // a copy of before would still say so
      await view.page.getByText("Copied ✓").waitFor({ state: "detached" });
      return await view.page.evaluate("navigator.clipboard.readText()") as string;
    };
    assert.deepEqual(JSON.parse(await copied("Copy JSON")).data, data);
    const command = await copied("Copy as curl");
    const { success } = await new Deno.Command("sh", {
      args: ["-c", command],
      stdout: "null",
      stderr: "null",
    })
      .output();
    assert.ok(success, command);
    await view.page.getByText("2 received").waitFor();
    const { body } = await send(`${runnel.url}/topics/a/messages`);
    const [first, second] = body.messages as Record<string, unknown>[];
    assert.deepEqual({ ...second, id: 0, time: 0 }, { ...first, id: 0, time: 0 });
  },
);

Deno.test("a message is taken into the publish form, changed and published", options, async () => {
  await using runnel = await startRunnel();
  await publishId(runnel.url, { topic: "a", data: { n: 1 }, key: "k", headers: { h: "v" } });
  await using view = await browser.open(runnel.url, "a");
  await view.list.getByText('{"n":1}').click();
  await view.page.getByRole("button", { name: "Edit and publish" }).click();
  const payload = view.page.getByLabel("Payload", { exact: true });
  assert.equal(await payload.inputValue(), '{\n  "n": 1\n}');
  await payload.fill('{"n":2}');
  await view.page.getByRole("button", { name: "Publish", exact: true }).click();
  await view.list.getByText('{"n":2}').waitFor();
  const { body } = await send(`${runnel.url}/topics/a/messages?order=desc&limit=1`);
  const [last] = body.messages as Record<string, unknown>[];
  assert.equal(last?.key, "k");
  assert.deepEqual(last?.headers, { h: "v" });
});

Deno.test(
  "a binary payload is shown in hexadecimal, with its size, and is downloaded",
  options,
  async () => {
    await using runnel = await startRunnel();
    const bytes = Uint8Array.from(range(0, 2_000), (n) => n % 256);
    await send(`${runnel.url}/publish/a`, {
      method: "POST",
      body: bytes,
      headers: { "content-type": "text/html;x=1".replace("text/html", "application/x-thing") },
    });
    await using view = await browser.open(runnel.url, "a");
    await view.list.getByText("1.95 KB of application/x-thing").click();
    const hex = view.page.getByLabel("Payload in hexadecimal");
    assert.match(await hex.textContent() ?? "", /^000000 {2}00 01 02 .*\n000010 {2}10 11/);
    const download = view.page.waitForEvent("download");
    await view.page.getByRole("button", { name: "Download" }).click();
    const file = await (await download).createReadStream();
    const chunks: Uint8Array[] = [];
    for await (const chunk of file) chunks.push(chunk);
    assert.deepEqual(new Uint8Array(await new Blob(chunks as BlobPart[]).arrayBuffer()), bytes);
    assert.deepEqual(view.complaints, []);
  },
);

Deno.test(
  "the tab stays when the page is loaded again, and on the way back; j and k need no focus",
  options,
  async () => {
    await using runnel = await startRunnel();
    await fill(runnel.url, ["a/b"], 3);
    await using view = await browser.open(runnel.url, "a/b");
    const { page } = view;
    const chosen = (name: string) => page.getByRole("tab", { name, selected: true }).waitFor();
    await chosen("Live");
    await view.tab("History");
    await view.when('location.hash === "#/topics/a%2Fb/history"');
    await page.reload();
    await chosen("History");
    await until(async () => (await view.texts()).length === 3, { what: "3 messages" });
    await view.tab("History");
    await page.keyboard.press("j");
    await page.getByRole("region", { name: "Message" }).waitFor();
    await view.tab("Settings");
    await page.keyboard.press("g");
    await page.getByRole("heading", { name: "Topics" }).waitFor();
    await page.goBack();
    await chosen("Settings");
    await page.goBack();
    await chosen("History");
    assert.equal(await page.getByRole("region", { name: "Message" }).count(), 0);
    assert.deepEqual(view.complaints, []);
  },
);

Deno.test("history is paged to its ends, and gone to at an id and at a time", options, async () => {
  await using runnel = await startRunnel();
  const stored = await fill(runnel.url, ["a"], 450);
  await using view = await browser.open(runnel.url, "a");
  const { page } = view;
  await view.tab("History");
  const first = (text: string) =>
    until(async () => (await view.texts())[0] === text, { what: `${text} first` });
  await first("449");
  const [newer, older] = ["← Newer", "Older →"].map((name) => page.getByRole("button", { name }));
  assert.equal(await newer?.isDisabled(), true);
  await older?.click();
  await first("249");
  await older?.click();
  await first("49");
  assert.equal(await older?.isDisabled(), true);
  await newer?.click();
  await first("249");
  await page.getByRole("button", { name: "Oldest" }).click();
  await first("199");
  assert.equal(await older?.isDisabled(), true);
  await page.getByRole("button", { name: "Newest" }).click();
  await first("449");
  const place = page.getByLabel("Go to an id or a time");
  await place.fill(stored[420]?.id ?? "");
  await place.press("Enter");
  // what was gone to is the oldest of the page, and newer ones are above it
  await page.getByText("30 messages").waitFor();
  await first("449");
  assert.equal((await view.texts())[29], "420");
  await place.fill("1h");
  await place.press("Enter");
  await first("199");
  await place.fill("nonsense");
  await place.press("Enter");
  await page.getByText("An id, a time such as").waitFor();
});

Deno.test("ages go by the server's clock, whatever the browser's says", options, async () => {
  await using runnel = await startRunnel();
  await using view = await browser.open(runnel.url, "a", {
    script: `{
      const now = Date.now;
      Date.now = () => now() + 3_600_000;
    }`,
  });
  assert.ok(await view.page.evaluate("Date.now()") as number > Date.now() + 3_000_000);
  await publishId(runnel.url, { topic: "a", data: "hello" });
  await view.list.getByText("hello").waitFor();
  const age = view.list.locator(".tl-age");
  await until(async () => /^(now|\d+ s ago)$/.test(await age.textContent() ?? ""));
});
