import assert from "node:assert/strict";
import axe from "axe-core";
import { skipsBrowser } from "../_support/browser.ts";
import { ALL, JWT_ENV, token } from "../_support/credentials.ts";
import { startRunnel } from "../_support/fixture.ts";
import { bearer } from "../_support/credentials.ts";
import { publishId, send } from "../_support/http.ts";
import { shareBrowser, type TopicConsole } from "../_support/topic_console.ts";
import { ack, pull, putGroup } from "../_support/work.ts";

// Playwright keeps its connection to the browser beyond what the sanitizers can see
const options = { sanitizeOps: false, sanitizeResources: false, ignore: skipsBrowser };
const browser = shareBrowser();

interface AxeResults {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
  }[];
}

/** Fails where axe finds something. */
async function check({ page }: TopicConsole, where: string): Promise<void> {
  // the page has it from the browser's own side, past its policy
  const text = await page.evaluate(
    "axe.run().then((results) => JSON.stringify(results))",
  ) as string;
  const { violations }: AxeResults = JSON.parse(text);
  const found = violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`)
  );
  assert.deepEqual(found, [], where);
}

async function prepare(url: string): Promise<void> {
  await putGroup(url, { topic: "jobs", since: "earliest", maxDeliveries: 1 });
  for (let n = 0; n < 60; n++) {
    const data = { n, name: `job ${n}`, list: [1, { deep: null }], ok: true };
    await publishId(url, {
      topic: "jobs",
      data,
      type: "job.new",
      key: `k${n}`,
      headers: { h: "v" },
    });
  }
  const { lease, messages } = await pull(url, { max: 3, consumer: "c1" });
  await ack(url, messages.map(({ id }) => id), { outcome: "nack", lease });
  await pull(url, { max: 2, consumer: "c2" });
}

for (const colorScheme of ["light", "dark"] as const) {
  for (const width of [1280, 360]) {
    Deno.test(
      `axe finds nothing in any part of a topic's page: ${colorScheme}, ${width} pixels`,
      options,
      async () => {
        await using runnel = await startRunnel();
        await prepare(runnel.url);
        await using view = await browser.open(runnel.url, "jobs", {
          bypassCSP: true,
          colorScheme,
          viewport: { width, height: 800 },
          script: axe.source,
        });
        const { page } = view;
        const overflow = "document.documentElement.scrollWidth > innerWidth";
        await view.list.getByText("k59").waitFor();
        await check(view, "live");
        assert.equal(await page.evaluate(overflow), false, "live");
        await view.list.getByText("k59").click();
        await page.getByRole("region", { name: "Message" }).getByText("deep").waitFor();
        await check(view, "a message");
        await page.getByRole("button", { name: "Close the message" }).click();
        await page.getByRole("button", { name: "Replay…" }).click();
        await check(view, "replay");
        await page.keyboard.press("Escape");
        await page.getByLabel("Payload", { exact: true }).fill("{");
        await page.getByRole("button", { name: "Publish", exact: true }).click();
        await check(view, "a wrong payload");
        const parts = [
          ["History", "60 messages"],
          ["Groups", "c2"],
          ["Dead letters", "3 dead letters wait to be given back"],
          ["Settings", "Retention"],
        ] as const;
        for (const [name, text] of parts) {
          await view.tab(name);
          await page.getByText(text, { exact: true }).first().waitFor();
          await check(view, name);
          assert.equal(await page.evaluate(overflow), false, name);
        }
        await page.getByRole("button", { name: "Delete the topic" }).click();
        await check(view, "deletion");
      },
    );
  }
}

Deno.test(
  "a part that needs a right which is missing says which, and the others work",
  options,
  async () => {
    await using runnel = await startRunnel({ env: JWT_ENV });
    const all = bearer(await token({ ...ALL, manage: true }));
    const publish = (data: unknown) =>
      send(`${runnel.url}/publish`, { json: { topic: "jobs", data }, headers: all });
    await publish("first");
    {
      await using view = await browser.open(runnel.url, "jobs", {
        token: await token({ subscribe: ["jobs"] }),
      });
      const { page } = view;
      await view.list.getByText("first").waitFor();
      await page.getByLabel("Payload", { exact: true }).fill("1");
      await page.getByRole("button", { name: "Publish", exact: true }).click();
      await page.getByText(
        "gives no right to publish to this topic. It takes the right publish for jobs.",
      )
        .waitFor();
      await view.tab("Dead letters");
      await page.getByText("It takes the right subscribe for $dead.jobs.").waitFor();
      await view.tab("Settings");
      await page.getByRole("button", { name: "Save the retention" }).click();
      await page.getByText("gives no right to set the retention. It takes the right manage.")
        .waitFor();
    }
    await using view = await browser.open(runnel.url, "jobs", {
      token: await token({ publish: ["jobs"] }),
    });
    const { page } = view;
    await page.getByText(
      "gives no right to know of this topic. It takes the right subscribe for jobs.",
    )
      .waitFor();
    await page.getByText(
      "gives no right to read this topic. It takes the right subscribe for jobs.",
    )
      .waitFor();
    await page.getByLabel("Payload", { exact: true }).fill("2");
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByText("Stored as").waitFor();
  },
);

Deno.test(
  "a copied curl command names the variable that holds the credential, not the credential",
  options,
  async () => {
    await using runnel = await startRunnel({ env: JWT_ENV });
    const credential = await token({ ...ALL, manage: true });
    await send(`${runnel.url}/publish/a`, {
      method: "POST",
      body: "x",
      headers: bearer(credential),
    });
    await using view = await browser.open(runnel.url, "a", {
      token: credential,
      permissions: ["clipboard-read", "clipboard-write"],
    });
    await view.list.getByText("x", { exact: true }).click();
    await view.page.getByRole("button", { name: "Copy as curl" }).click();
    await view.page.getByText("Copied ✓").waitFor();
    const command = await view.page.evaluate("navigator.clipboard.readText()") as string;
    assert.ok(command.includes("Bearer $RUNNEL_TOKEN"), command);
    assert.ok(!command.includes(credential));
  },
);
