import assert from "node:assert/strict";
import type { Machine } from "../../lib/cli/redis/machine.ts";
import { findProgram, provideTestTools, type TestTool } from "../../lib/cli/test_tools.ts";
import { MemoryTerminal } from "./memory_terminal.ts";
import { runCli } from "./run_cli.ts";

const APT = "env DEBIAN_FRONTEND=noninteractive apt-get";

/** A root's Debian without package lists; `packages` are what it can install after an update. */
function bareDebian(packages: readonly string[]) {
  const ran: string[] = [];
  const updated = () => ran.includes(`${APT} update`);
  const machine: Machine = {
    os: "linux",
    isRoot: true,
    succeeds: (command) => Promise.resolve(command[0] === "apt-get" || updated()),
    run(command) {
      ran.push(command.join(" "));
      const wanted = command.at(-1)!;
      return Promise.resolve(wanted === "update" || (updated() && packages.includes(wanted)));
    },
  };
  const tool = (name: string): TestTool => ({
    name,
    without: `no test of ${name} runs`,
    packages: { apt: name, brew: [name] },
    find: () => updated() && packages.includes(name) ? `/usr/bin/${name}` : undefined,
  });
  return { machine, ran, tool };
}

Deno.test("provideTestTools() runs nothing where everything is there", async () => {
  const { machine, ran, tool } = bareDebian([]);
  const tools = [{ ...tool("a"), find: () => "/usr/bin/a" }];
  const terminal = new MemoryTerminal();
  assert.deepEqual(await provideTestTools({ machine, terminal, tools }), []);
  assert.deepEqual([ran, terminal.stderr], [[], ""]);
});

Deno.test("provideTestTools() updates the package lists and installs what is missing", async () => {
  const { machine, ran, tool } = bareDebian(["curl"]);
  const terminal = new MemoryTerminal();
  const tools = [tool("curl")];
  assert.deepEqual(await provideTestTools({ machine, terminal, tools }), []);
  assert.deepEqual(ran, [`${APT} update`, `${APT} install -y --no-install-recommends curl`]);
  assert.doesNotMatch(terminal.stderr, /missing/);
});

Deno.test("provideTestTools() tells what cannot be had, what for and how to get it", async () => {
  const { machine, tool } = bareDebian(["curl"]);
  const terminal = new MemoryTerminal();
  const tools = [tool("chromium"), tool("curl")];
  const lacking = await provideTestTools({ machine, terminal, tools });
  assert.deepEqual(lacking.map(({ name }) => name), ["chromium"]);
  assert.match(terminal.stderr, /^missing: chromium, so that no test of chromium runs$/m);
  assert.match(terminal.stderr, /apt-get install failed[^]*sudo apt-get install chromium$/m);
});

Deno.test("findProgram() looks along PATH", () => {
  assert.match(findProgram("sh")!, /\/sh$/);
  assert.equal(findProgram("no-such-program"), undefined);
});

Deno.test("tests on older versions of Deno are skipped, and say so, where there is no npx", async () => {
  const { stdout, stderr, success } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-A", "--frozen", "tests/functions/old_deno_test.ts"],
    env: { PATH: "/nowhere", NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert.ok(success, text);
  assert.match(text, /skipped: tests on older versions of Deno, for want of npx/);
  assert.match(text, /\| 0 passed \| 0 failed \| 2 ignored/);
});

Deno.test("test skips the browser tests and says so where SKIP_BROWSER_TESTS is set", async () => {
  const env = { SKIP_BROWSER_TESTS: "1", CHROMIUM: "/nowhere/chromium" };
  const { code, stdout, stderr } = await runCli(["test", "tests/browser/"], { env });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /\| 0 passed \| 0 failed \| \d+ ignored/);
  assert.match(stdout + stderr, /skipped: browser tests, as SKIP_BROWSER_TESTS is set/);
});
