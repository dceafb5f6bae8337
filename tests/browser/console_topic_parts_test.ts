import assert from "node:assert/strict";
import { skipsBrowser } from "../_support/browser.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { shareBrowser, type TopicConsole } from "../_support/topic_console.ts";
import { until } from "../_support/until.ts";
import { ack, pull, putGroup } from "../_support/work.ts";

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };
const browser = shareBrowser();

/** The newest message of a topic. */
async function newest(url: string, topic = "a"): Promise<Record<string, unknown>> {
  const { body } = await send(`${url}/topics/${topic}/messages?order=desc&limit=1`);
  return (body.messages as Record<string, unknown>[])[0] ?? {};
}

/** Lets all messages of `jobs` die in group `g`. */
async function kill(url: string, count: number): Promise<void> {
  await putGroup(url, { since: "earliest", maxDeliveries: 1 });
  for (let n = 0; n < count; n++) await publishId(url, { topic: "jobs", data: `job ${n}` });
  const { lease, messages } = await pull(url, { max: count, consumer: "c1" });
  await ack(url, messages.map(({ id }) => id), { outcome: "nack", lease });
}

function publishButton({ page }: TopicConsole) {
  return page.getByRole("button", { name: "Publish", exact: true });
}

Deno.test(
  "the publish form sends JSON as it was written, with all that a message may have",
  options,
  async () => {
    await using runnel = await startRunnel();
    await using view = await browser.open(runnel.url, "a");
    const { page } = view;
    await page.getByLabel("Payload", { exact: true }).fill('{"n": 12345678901234567890}');
    await page.getByLabel("Type", { exact: true }).fill("paid");
    await page.getByLabel("Key", { exact: true }).fill("k1");
    await page.getByRole("button", { name: "Add a header" }).click();
    await page.getByLabel("Name of header 1").fill("region");
    await page.getByLabel("Value of header 1").fill("eu");
    await page.getByText("Expiry, delay, idempotency").click();
    await page.getByLabel("Expires after").fill("1h");
    await page.getByLabel("Idempotency key").fill("once");
    await page.keyboard.press("Control+Enter");
    await page.getByText("Stored as").waitFor();
    await view.list.getByText("12345678901234567890").waitFor();
    const message = await newest(runnel.url);
    assert.equal(message.type, "paid");
    assert.equal(message.key, "k1");
    assert.deepEqual(message.headers, { region: "eu" });
    // the same once more is stored once
    await publishButton(view).click();
    await page.getByText("Was stored before, as").waitFor();
    await page.getByLabel("Idempotency key").fill("");
    await page.getByLabel("Expires after").fill("");
    await page.getByLabel("Delayed by").fill("1h");
    await publishButton(view).click();
    await page.getByText("Comes at 20").waitFor();
    await page.getByLabel("Delayed by").fill("");
    await page.getByRole("button", { name: "Text", exact: true }).click();
    await publishButton(view).click();
    await until(async () => (await newest(runnel.url)).data === '{"n": 12345678901234567890}');
  },
);

Deno.test(
  "the publish form says at each field what is wrong, also what only the server knows",
  options,
  async () => {
    await using runnel = await startRunnel();
    await using view = await browser.open(runnel.url, "a");
    const { page } = view;
    const payload = page.getByLabel("Payload", { exact: true });
    await payload.fill('{\n  "a": 1,\n}');
    await publishButton(view).click();
    await page.getByText(/line 3/).waitFor();
    assert.equal(await payload.getAttribute("aria-invalid"), "true");
    await payload.fill("1");
    await page.getByText(/line 3/).waitFor({ state: "detached" });
    await page.getByLabel("Type", { exact: true }).fill("open");
    await publishButton(view).click();
    await page.getByText("Must not be open, error or message").waitFor();
    assert.equal(
      await page.getByLabel("Type", { exact: true }).getAttribute("aria-invalid"),
      "true",
    );
    await page.getByLabel("Type", { exact: true }).fill("");
    await page.getByText("Expiry, delay, idempotency").click();
    await page.getByLabel("Expires after").fill("soon");
    await page.getByLabel("Delayed by").fill("9999d");
    await publishButton(view).click();
    await page.getByText("A number with ms, s, m, h or d").waitFor();
    await page.getByLabel("Expires after").fill("");
    await publishButton(view).click();
    // from the server's problem document
    const delay = page.getByLabel("Delayed by");
    await until(async () => await delay.getAttribute("aria-invalid") === "true");
    assert.equal((await send(`${runnel.url}/topics`)).body.topics instanceof Array, true);
    assert.deepEqual((await send(`${runnel.url}/topics`)).body.topics, []);
  },
);

Deno.test(
  "retention is set and reset, and what is the default is told from what is the topic's own",
  options,
  async () => {
    await using runnel = await startRunnel();
    for (let n = 0; n < 5; n++) await publishId(runnel.url, { topic: "a", data: n });
    await using view = await browser.open(runnel.url, "a");
    const { page } = view;
    await view.tab("Settings");
    const most = page.getByLabel(/^Most messages/);
    assert.equal(await most.getAttribute("placeholder"), "100,000");
    assert.equal(await page.getByText("default", { exact: true }).count(), 2);
    await most.fill("3");
    await page.getByLabel(/^Longest age/).fill("7d");
    await page.getByRole("button", { name: "Save the retention" }).click();
    await page.getByText("its own").first().waitFor();
    const info = async () => (await send(`${runnel.url}/topics/a`)).body;
    assert.deepEqual((await info()).retention, { maxMessages: 3, maxAgeMs: 604_800_000 });
    assert.equal((await info()).messages, 3);
    await page.getByRole("button", { name: "Reset most messages" }).click();
    await until(async () =>
      JSON.stringify((await info()).ownRetention) === '{"maxAgeMs":604800000}'
    );
    await until(async () => await most.inputValue() === "");
    await most.fill("many");
    await page.getByRole("button", { name: "Save the retention" }).click();
    await page.getByText("A whole number, from 1").waitFor();
    await most.fill("99999999999");
    await page.getByRole("button", { name: "Save the retention" }).click();
    await until(async () => await most.getAttribute("aria-invalid") === "true");
  },
);

Deno.test("a topic is deleted by whoever types its name", options, async () => {
  await using runnel = await startRunnel();
  await publishId(runnel.url, { topic: "orders.eu", data: 1 });
  await using view = await browser.open(runnel.url, "orders.eu");
  const { page } = view;
  await view.tab("Settings");
  await page.getByRole("button", { name: "Delete the topic" }).click();
  const dialog = page.getByRole("dialog");
  const remove = dialog.getByRole("button", { name: "Delete" });
  const name = dialog.getByLabel("Type the topic's name to confirm");
  await name.fill("orders.e");
  assert.equal(await remove.isDisabled(), true);
  await name.fill("orders.eu");
  await remove.click();
  await page.getByText("This topic was deleted while you looked").waitFor();
  assert.equal((await send(`${runnel.url}/topics/orders.eu`)).status, 404);
});

Deno.test("groups are shown as they are now, changed and deleted", options, async () => {
  await using runnel = await startRunnel();
  await putGroup(runnel.url, { since: "earliest" });
  for (let n = 0; n < 6; n++) await publishId(runnel.url, { topic: "jobs", data: n });
  await using view = await browser.open(runnel.url, "jobs");
  const { page } = view;
  await view.tab("Groups");
  const group = page.getByRole("region", { name: "Group g" });
  const figure = (name: string) =>
    group.locator("div", { has: page.getByText(name, { exact: true }) })
      .last().locator("dd");
  await until(async () => await figure("Lag").textContent() === "6");
  await pull(runnel.url, { max: 2, consumer: "worker-1" });
  await until(async () => await figure("Lag").textContent() === "4");
  assert.equal(await figure("Pending").textContent(), "2");
  await group.getByRole("row", { name: /worker-1 2 (now|\d+ s ago)/ }).waitFor();
  await until(async () => /\d+ m?s/.test(await figure("Oldest pending").textContent() ?? ""));
  await group.getByRole("button", { name: "Change deliveries" }).click();
  const field = page.getByLabel("Most deliveries of a message");
  await field.fill("0");
  await field.press("Enter");
  await until(async () => await field.getAttribute("aria-invalid") === "true");
  await field.fill("7");
  await field.press("Enter");
  await until(async () => await figure("Most deliveries").textContent() === "7");
  await group.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByText("4 messages not taken yet").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await group.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "Delete the group" }).click();
  await page.getByText("No group consumes this topic").waitFor();
});

Deno.test(
  "dead letters are listed, inspected, and given back one by one, some and all",
  options,
  async () => {
    await using runnel = await startRunnel();
    await kill(runnel.url, 6);
    await using view = await browser.open(runnel.url, "jobs");
    const { page } = view;
    await view.tab("Dead letters");
    await page.getByText("6 dead letters wait to be given back").waitFor();
    const row = (n: number) => page.getByRole("row", { name: `job ${n}` });
    await row(0).getByText("nack").waitFor();
    await row(0).getByRole("button", { name: "Inspect job 0" }).click();
    const message = page.getByRole("region", { name: "Message" });
    await message.getByText("dead-reason").waitFor();
    assert.equal(await page.evaluate("document.activeElement.textContent"), "Message");
    await page.keyboard.press("Escape");
    await row(0).getByRole("button", { name: "Redrive" }).click();
    await page.getByText("1 given back to its group").waitFor();
    await row(0).getByText("given back").waitFor();
    await page.getByText("5 dead letters wait to be given back").waitFor();
    for (const n of [1, 2]) await row(n).getByRole("checkbox").check();
    await page.getByRole("button", { name: "Redrive 2 selected" }).click();
    await page.getByText("2 given back to their groups").waitFor();
    await page.getByRole("button", { name: "Redrive all" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Redrive all" }).click();
    await page.getByText("3 given back to their groups").waitFor();
    await page.getByText("No dead letter waits").waitFor();
    const { messages } = await pull(runnel.url, { max: 10 });
    assert.deepEqual(
      messages.map(({ data }) => data).sort(),
      [0, 1, 2, 3, 4, 5].map((n) => `job ${n}`),
    );
  },
);

Deno.test("a letter that somebody else gave back is named as such", options, async () => {
  await using runnel = await startRunnel();
  await kill(runnel.url, 1);
  await using view = await browser.open(runnel.url, "jobs");
  const { page } = view;
  await view.tab("Dead letters");
  const row = page.getByRole("row", { name: "job 0" });
  await row.getByRole("checkbox").check();
  await send(`${runnel.url}/topics/jobs/redrive`, { json: {} });
  await page.getByRole("button", { name: "Redrive 1 selected" }).click();
  await row.getByText("was given back before").waitFor();
});

Deno.test("the system's topics have no publish form, and nothing to set", options, async () => {
  await using runnel = await startRunnel();
  await kill(runnel.url, 2);
  await using view = await browser.open(runnel.url, "$dead.jobs");
  await view.list.getByText("job 0").click();
  const { page } = view;
  await page.getByRole("region", { name: "Message" }).getByText("dead-reason").waitFor();
  assert.equal(await page.getByRole("form").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Edit and publish" }).count(), 0);
  assert.equal(await page.getByRole("button", { name: "Copy as curl" }).count(), 1);
  assert.equal(await page.getByRole("tab").count(), 3);
  await view.tab("Settings");
  await page.getByRole("button", { name: "Delete the topic" }).waitFor();
  assert.equal(await page.getByText("Retention").count(), 0);
});
