/** `deno run -A tests/pictures/main.ts`: makes the README's pictures of the console again, from a Runnel in use. Takes two minutes. */
import { fileURLToPath } from "node:url";
import { openPage } from "../_support/browser.ts";
import { startRunnel } from "../_support/fixture.ts";
import { sleep, until } from "../_support/until.ts";
import { use } from "./use.ts";

const FOLDER = fileURLToPath(new URL("../../lib/docs/pictures/", import.meta.url));
/** Charts begin with the last minute. */
const FULL_MS = 75_000;
const TAIL_MS = 9_000;
const SIZE = { width: 1_200, height: 780 };

async function makePictures(): Promise<void> {
  await using fixture = await startRunnel();
  await using _use = use(fixture.url);
  const pages = await Promise.all((["light", "dark"] as const).map(async (colorScheme) => {
    const browser = await openPage("about:blank", { args: ["--force-device-scale-factor=1.5"] });
    const { page } = browser;
    await page.setViewportSize(SIZE);
    await page.emulateMedia({ colorScheme });
    await page.goto(`${fixture.url}/console`);
    return { browser, page, colorScheme };
  }));
  await sleep(FULL_MS);
  for (const { browser, page, colorScheme } of pages) {
    await page.screenshot({ path: `${FOLDER}console-${colorScheme}.png` });
    await page.goto(`${fixture.url}/console#/topics/orders.eu`);
    await sleep(TAIL_MS);
    // a message of the list is chosen by its place there
    const box = await until(() => page.locator("[role=log]").first().boundingBox());
    await page.mouse.click(box.x + box.width / 4, box.y + box.height / 4);
    await page.getByRole("heading", { name: "Message" }).waitFor();
    await page.screenshot({ path: `${FOLDER}console-topic-${colorScheme}.png` });
    await browser[Symbol.asyncDispose]();
  }
}

await makePictures();
// Playwright's connection to a browser that has ended would keep the process
Deno.exit(0);
