import { runDeno } from "../child.ts";
import type { Command } from "../command.ts";
import { thisMachine } from "../redis/machine.ts";
import { provideRedis } from "../redis/provision.ts";
import type { Terminal } from "../terminal.ts";

/** `deno task test`: the whole suite. */
export const test: Command = {
  name: "test",
  usage: "test [deno test's own arguments]",
  summary: "Runs all tests, on Redis servers that they start themselves",
  details: `
Everything after "test" is handed to deno test: deno task test --filter "publish", or deno task test tests/cli/
A redis-server is installed first where there is none.`,
  options: {},
  positionals: { least: 0, most: Infinity },
  passesOn: true,
  run: (input, terminal) => runTests(input.positionals, terminal),
};

/** Runs `deno test` on the whole suite, or on the paths among the arguments. Resolves to the exit code. */
export async function runTests(args: readonly string[], terminal: Terminal): Promise<number> {
  await provideRedis({ terminal, machine: thisMachine(terminal) });
  const paths = args.some((arg) => !arg.startsWith("-") && exists(arg)) ? [] : ["tests/"];
  return await runDeno(["test", "-A", "--frozen", "--parallel", ...args, ...paths], terminal);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
