import assert from "node:assert/strict";
import { CliError } from "../../lib/cli/cli_error.ts";
import { type Command, parseInput } from "../../lib/cli/command.ts";
import { commandHelp } from "../../lib/cli/help.ts";
import { main } from "../../lib/cli/main.ts";
import { MemoryTerminal } from "./memory_terminal.ts";

const command: Command = {
  name: "try",
  usage: "try <one> [two]",
  summary: "Tries something",
  details: "In more words.",
  options: { count: { value: "<n>", help: "How many" }, loud: { help: "Say more" } },
  positionals: { least: 1, most: 2 },
  run: () => Promise.resolve(0),
};

Deno.test("parseInput() reads positionals, values and switches in any order", () => {
  const input = parseInput(command, ["--count", "3", "a", "--loud", "b"]);
  assert.deepEqual(input.positionals, ["a", "b"]);
  assert.equal(input.text("count"), "3");
  assert.equal(input.number("count"), 3);
  assert.equal(input.has("loud"), true);
});

Deno.test("parseInput() leaves what follows -- and a lone - to the command", () => {
  assert.deepEqual(parseInput(command, ["-", "--", "--loud"]).positionals, ["-", "--loud"]);
});

Deno.test("parseInput() gives undefined and false for options that are not given", () => {
  const input = parseInput(command, ["a"]);
  assert.equal(input.text("count"), undefined);
  assert.equal(input.number("count"), undefined);
  assert.equal(input.has("loud"), false);
});

Deno.test("parseInput() refuses a wrong call with the usage and exit code 2", async (t) => {
  const calls: Record<string, string[]> = {
    "an unknown option": ["a", "--silent"],
    "a missing value": ["a", "--count"],
    "too few positionals": [],
    "too many positionals": ["a", "b", "c"],
  };
  for (const [name, args] of Object.entries(calls)) {
    await t.step(name, () => {
      assert.throws(() => parseInput(command, args), (error: unknown) => {
        assert.ok(error instanceof CliError);
        assert.equal(error.exitCode, 2);
        assert.match(error.advice.join("\n"), /deno task try <one>/);
        return true;
      });
    });
  }
});

Deno.test("CommandInput.number() refuses what is no whole number from the least up", () => {
  for (const value of ["x", "1.5", "1e3", "0", " 1", "9".repeat(20)]) {
    const input = parseInput(command, ["a", "--count", value]);
    assert.throws(() => input.number("count", 1), CliError, value);
  }
});

Deno.test("parseInput() hands everything on where the command says so", () => {
  const passing = { ...command, passesOn: true, positionals: { least: 0, most: Infinity } };
  assert.deepEqual(parseInput(passing, ["--filter", "x"]).positionals, ["--filter", "x"]);
});

Deno.test("commandHelp() shows summary, usage, details and every option", () => {
  const help = commandHelp(command);
  for (const text of ["Tries something.", "deno task try <one>", "In more words.", "--count <n>"]) {
    assert.ok(help.includes(text), text);
  }
});

Deno.test("main() prints the help of every command that deno.json has a task for", async (t) => {
  const { tasks } = JSON.parse(await Deno.readTextFile("deno.json"));
  for (const [name, task] of Object.entries<string>(tasks)) {
    if (!task.includes("lib/cli/main.ts")) continue;
    await t.step(name, async () => {
      const terminal = new MemoryTerminal();
      assert.equal(await main([name, "--help"], terminal), 0);
      assert.ok(terminal.stdout.includes(`Usage: deno task ${name}`));
    });
  }
});

Deno.test("main() lists all commands for help and for no command at all", async () => {
  for (const args of [[], ["help"], ["--help"]]) {
    const terminal = new MemoryTerminal();
    assert.equal(await main(args, terminal), 0);
    assert.match(terminal.stdout, /subscribe <topic\.\.\.>/);
  }
});

Deno.test("main() names the commands there are when asked for another", async () => {
  for (const name of ["pubilsh", "constructor", "toString"]) {
    const terminal = new MemoryTerminal();
    assert.equal(await main([name], terminal), 2);
    assert.match(terminal.stderr, /There are: start, dev, publish/);
  }
});
