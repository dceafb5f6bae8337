import assert from "node:assert/strict";
import { CliError } from "../../lib/cli/cli_error.ts";
import { type Command, parseInput } from "../../lib/cli/command.ts";
import { commandHelp } from "../../lib/cli/help.ts";
import { main } from "../../lib/cli/main.ts";
import { EXIT_CODES } from "../../lib/cli/exit_code.ts";
import { TASK_DESCRIPTIONS, TASKS } from "../_support/task_flags.ts";
import { startFakeServer } from "./fake_server.ts";
import { MemoryTerminal } from "./memory_terminal.ts";

const command: Command = {
  name: "try",
  usage: "try <one> [two]",
  summary: "Tries something",
  details: "In more words.",
  examples: ["deno task try a  # tries a"],
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
  const help = commandHelp(command, new MemoryTerminal());
  for (const text of ["Tries something.", "deno task try <one>", "In more words.", "--count <n>"]) {
    assert.ok(help.includes(text), text);
  }
});

const NAMES = Object.entries(TASKS)
  .filter(([name, task]) => task.includes("lib/cli/main.ts") && name !== "help")
  .map(([name]) => name);

Deno.test("main() prints the help of every command that deno.json has a task for, with examples", async (t) => {
  for (const name of NAMES) {
    await t.step(name, async () => {
      const terminal = new MemoryTerminal();
      assert.equal(await main([name, "--help"], terminal), 0);
      const [first = ""] = terminal.outLines;
      assert.ok(terminal.stdout.includes(`Usage: deno task ${name}`));
      assert.match(terminal.stdout, new RegExp(`Examples:\\n(  .*\\n)*  .*deno task ${name}`));
      assert.ok(terminal.outLines.every((line) => line.length <= 120), "lines fit");
      // `deno task` alone shows the same
      assert.equal(`${TASK_DESCRIPTIONS[name]}.`, first);
      const other = new MemoryTerminal();
      for (const args of [[name, "-h"], ["help", name]]) assert.equal(await main(args, other), 0);
      assert.equal(other.stdout, `${terminal.stdout}\n${terminal.stdout}`);
    });
  }
});

Deno.test("the options that the help's examples use are there", async (t) => {
  for (const name of NAMES) {
    await t.step(name, async () => {
      const terminal = new MemoryTerminal();
      await main([name, "--help"], terminal);
      const [before = "", after = ""] = terminal.stdout.split("Examples:");
      for (const line of after.split("\n")) {
        const own = line.slice(line.indexOf("deno task")).split(" -- ")[0]?.split(" | ")[0] ?? "";
        if (name === "test") continue;
        for (const [option] of own.matchAll(/--[a-z-]+/g)) {
          assert.ok(before.includes(option), option);
        }
      }
    });
  }
});

Deno.test("main() lists all commands for help and for no command at all", async () => {
  for (const args of [[], ["help"], ["--help"], ["-h"]]) {
    const terminal = new MemoryTerminal();
    assert.equal(await main(args, terminal), 0);
    for (const name of NAMES) {
      const lines = terminal.outLines.filter((line) => line.startsWith(`  ${name} `));
      assert.equal(lines.length, 1, name);
      assert.ok((lines[0] ?? "").length <= 100, lines[0]);
    }
    for (const { code } of EXIT_CODES) {
      assert.match(terminal.stdout, new RegExp(`^  ${code} `, "m"));
    }
  }
});

Deno.test("main() names the commands there are when asked for another", async () => {
  for (const name of ["pubilsh", "constructor", "toString", "--verison"]) {
    const terminal = new MemoryTerminal();
    assert.equal(await main([name], terminal), 2);
    assert.match(terminal.stderr, /There are: start, .*publish, /);
  }
});

Deno.test("main() guesses which command was meant, and which option", async () => {
  const guesses: readonly (readonly [args: string[], guess: RegExp])[] = [
    [["pubilsh"], /deno task publish$/m],
    [["subscribe-to"], /There are/],
    [["doctr"], /deno task doctor$/m],
    [["deploy"], /deno task deploy:check$/m],
    [["publish", "a", "b", "--typ", "x"], /Cannot find an option --typ: is --type meant\?/],
    [["subscribe", "a", "--no-wiat"], /is --no-wait meant\?/],
    [["top", "--colour"], /Cannot find an option --colour\n/],
  ];
  for (const [args, guess] of guesses) {
    const terminal = new MemoryTerminal();
    assert.equal(await main(args, terminal), 2);
    assert.match(terminal.stderr, guess);
  }
});

Deno.test("main() tells its version", async () => {
  const terminal = new MemoryTerminal();
  assert.equal(await main(["--version"], terminal), 0);
  assert.match(terminal.stdout, /^Runnel \d+\.\d+\.\d+ \(Deno \d+/);
});

Deno.test("main() says an error as JSON where JSON was asked for", async () => {
  await using server = startFakeServer(() =>
    Response.json({ code: "unauthenticated", detail: "No token", requestId: "r1" }, { status: 401 })
  );
  const terminal = new MemoryTerminal();
  assert.equal(await main(["topics", "--json", "--url", server.url], terminal), 1);
  const { advice, ...error } = JSON.parse(terminal.stderr);
  assert.deepEqual(error, {
    error: "The server refused (401 unauthenticated): No token",
    ...{ exitCode: 1, status: 401, code: "unauthenticated", requestId: "r1" },
  });
  assert.match(advice[0], /RUNNEL_TOKEN/);
  assert.equal(terminal.stdout, "");
});

Deno.test("main() shows what a server says in an error without obeying it", async () => {
  const detail = "a\x1b[2Jb\x9bc\u202ed";
  await using server = startFakeServer(() => Response.json({ code: "x", detail }, { status: 400 }));
  const terminal = new MemoryTerminal();
  assert.equal(await main(["topics", "--url", server.url], terminal), 1);
  assert.match(terminal.stderr, /a\\u001b\[2Jb\\u009bc\\u202ed/);
});
