import assert from "node:assert/strict";
import { fileURLToPath, pathToFileURL } from "node:url";
import { startRunnel } from "../_support/fixture.ts";
import { deadline } from "../_support/until.ts";

const ROOT = new URL("../../", import.meta.url);
const FILES = ["lib/client/mod.ts", "lib/docs/client.md"];

interface Example {
  readonly name: string;
  readonly code: string;
  /** What it says that it prints, in order. */
  readonly prints: readonly string[];
}

const examples = (await Promise.all(FILES.map(examplesOf))).flat();

async function examplesOf(file: string): Promise<Example[]> {
  const text = (await Deno.readTextFile(new URL(file, ROOT))).replace(/^ \* ?/gm, "");
  return [...text.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code = ""], i) => ({
    name: `${file} ${i + 1}`,
    code,
    prints: [...code.matchAll(/console\.log\(.*\);? \/\/ (.*)$/gm)].map(([, text = ""]) => text),
  }));
}

/** The example as a module that runs here. */
async function write(dir: string, { name, code }: Example, url: string): Promise<string> {
  const path = `${dir}/${name.replace(/\W+/g, "_")}.ts`;
  const client = new URL("lib/client/mod.ts", ROOT).href;
  const text = code.replaceAll("http://localhost:8000/client.js", client)
    .replaceAll("http://localhost:8000", url);
  await Deno.writeTextFile(path, `${text}\nexport {};\n`);
  return path;
}

Deno.test("the examples of the client are good TypeScript", async () => {
  assert.ok(examples.length >= 9);
  const dir = await Deno.makeTempDir({ prefix: "runnel-examples-" });
  const files = await Promise.all(examples.map((example) => write(dir, example, "http://x")));
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "--quiet", "--no-lock", "--config", "deno.json", ...files],
    cwd: fileURLToPath(ROOT),
    stdin: "null",
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
  await Deno.remove(dir, { recursive: true });
});

for (const example of examples) {
  Deno.test(`the example ${example.name} does what it says`, async () => {
    await using runnel = await startRunnel();
    const dir = await Deno.makeTempDir({ prefix: "runnel-example-" });
    const file = await write(dir, example, runnel.url);
    const printed: string[] = [];
    const log = console.log;
    console.log = (...values) =>
      printed.push(
        values.map((value) => typeof value === "string" ? value : Deno.inspect(value)).join(" "),
      );
    try {
      await deadline(import(pathToFileURL(file).href), 30_000, example.name);
    } finally {
      console.log = log;
      await Deno.remove(dir, { recursive: true });
    }
    assert.deepEqual(printed, example.prints);
  });
}
