import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { SCRIPT, TYPES } from "../../lib/client/built.ts";
import { startRunnel } from "../_support/fixture.ts";

const MOST_BYTES = 8 * 1024;

Deno.test("the client takes less than 8 KB, minified and compressed", () => {
  const { length } = gzipSync(SCRIPT.text, { level: 9 });
  assert.ok(length < MOST_BYTES, `${length}`);
});

Deno.test("the client and its types need nothing else", () => {
  assert.doesNotMatch(SCRIPT.text, /\bimport\b|\brequire\(|\bDeno\b|\bprocess\b/);
  assert.doesNotMatch(TYPES.text, /^import\b|\bDeno\./m);
});

Deno.test("GET /client.js names its types, and is confirmed by its tag", async () => {
  await using runnel = await startRunnel({ env: { RUNNEL_AUTH: "keys" } });
  const response = await fetch(`${runnel.url}/functions/v1/client.js`);
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^text\/javascript/);
  assert.match(response.headers.get("cache-control") ?? "", /^public, max-age=\d+$/);
  assert.equal(await response.text(), SCRIPT.text);
  const tag = response.headers.get("etag") ?? "";
  assert.match(tag, /^W\/"[\w-]+"$/);
  const again = await fetch(response.url, { headers: { "if-none-match": tag } });
  assert.equal(again.status, 304);
  assert.equal(again.headers.get("x-typescript-types"), "./client.d.ts");
  const types = await fetch(
    new URL(response.headers.get("x-typescript-types") ?? "", response.url),
  );
  assert.equal(types.status, 200);
  assert.equal(await types.text(), TYPES.text);
});

Deno.test("the types of the client are good for whoever checks a program with them", async () => {
  const dir = await Deno.makeTempDir({ prefix: "runnel-types-" });
  await Deno.writeTextFile(`${dir}/client.js`, SCRIPT.text);
  await Deno.writeTextFile(`${dir}/client.d.ts`, TYPES.text);
  await Deno.writeTextFile(
    `${dir}/page.ts`,
    `// @ts-types="./client.d.ts"
import { createClient, type Message, RunnelError } from "./client.js";
const client = createClient({ url: "http://x" });
export const orders = client.topic<{ id: number }>("orders");
export async function first(): Promise<number> {
  for await (const { data } of orders.subscribe({ since: "10m" })) return data.id;
  throw new RunnelError("none", { code: "none" });
}
export const show = (message: Message): string => message.topic;
// @ts-expect-error -- it is no order
orders.publish("x");
`,
  );
  const check = async (config: readonly string[]) => {
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["check", "--quiet", "--no-lock", ...config, "page.ts"],
      cwd: dir,
      stdin: "null",
    }).output();
    assert.ok(success, new TextDecoder().decode(stderr));
  };
  await check(["--no-config"]);
  const lib = ["dom", "dom.iterable", "dom.asynciterable", "esnext"];
  const config = { compilerOptions: { lib, types: [] } };
  await Deno.writeTextFile(`${dir}/browser.json`, JSON.stringify(config));
  await check(["--config", "browser.json"]);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("Node runs the client", async () => {
  await using runnel = await startRunnel();
  const dir = await Deno.makeTempDir({ prefix: "runnel-node-" });
  await Deno.writeTextFile(`${dir}/client.mjs`, SCRIPT.text);
  await Deno.writeTextFile(
    `${dir}/main.mjs`,
    `import { createClient, RunnelError } from "./client.mjs";
const runnel = createClient({ url: process.argv[2] });
await Promise.all([1, 2, 3].map((n) => runnel.publish("a", n)));
const seen = [];
for await (const { data } of runnel.subscribe(["*"], { since: "earliest" })) {
  if (seen.push(data) === 3) break;
}
const refused = await runnel.publish("no good").catch((error) => error);
const server = runnel.serve("greet", (name) => "Hello, " + name, { since: "earliest" });
const { data } = await runnel.request("greet", "node");
await server.close();
console.log(JSON.stringify([seen, refused instanceof RunnelError, refused.status, data]));
`,
  );
  const { success, stdout, stderr } = await new Deno.Command("node", {
    args: ["main.mjs", runnel.url],
    cwd: fileURLToPath(new URL(`file://${dir}/`)),
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
    ...[[1, 2, 3], true, 400, "Hello, node"],
  ]);
  await Deno.remove(dir, { recursive: true });
});
