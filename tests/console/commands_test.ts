import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { main } from "../../lib/cli/main.ts";
import { MemoryTerminal } from "../cli/memory_terminal.ts";

const LIB = new URL("../../lib/", import.meta.url);

function sources(folder: URL): URL[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
    isDirectory
      ? sources(new URL(`${name}/`, folder))
      : name.endsWith(".tsx")
      ? [new URL(name, folder)]
      : []
  );
}

/** What a page tells to run, up to where its text or its line ends. */
function commandsIn(file: URL): string[] {
  const text = Deno.readTextFileSync(fileURLToPath(file));
  return [...text.matchAll(/deno task (?:(?!<\/|["'`];).)+/g)].map(([command]) =>
    command.replaceAll("&lt;", "<").replaceAll("&gt;", ">")
  );
}

const FILES = [...sources(new URL("console/", LIB)), new URL("http/welcome.ts", LIB)];

Deno.test("the commands that pages name are there, with the options they name", async (t) => {
  const commands = FILES.flatMap(commandsIn);
  assert.ok(commands.length >= 2, "no command was found");
  for (const command of commands) {
    await t.step(command, async () => {
      const [, , name = "", action] = command.split(" ");
      const terminal = new MemoryTerminal();
      assert.equal(await main([name, "--help"], terminal), 0, terminal.stderr);
      const [before = ""] = terminal.stdout.split("Examples:");
      const [usage = ""] = /(?<=Usage: deno task ).*/.exec(before) ?? [];
      // one of several that its usage names, such as `keys create|list`
      const [, actions] = usage.split(" ");
      if (actions?.includes("|")) assert.ok(actions.split("|").includes(action ?? ""), usage);
      const [own = ""] = command.split(" -- ");
      const options = [...own.matchAll(/--[a-z-]+/g)].map(([option]) => option);
      for (const option of options) assert.ok(before.includes(option), option);
      for (const [option] of usage.split("[")[0]?.matchAll(/--[a-z-]+/g) ?? []) {
        assert.ok(options.includes(option), `${option} is missing`);
      }
    });
  }
});
