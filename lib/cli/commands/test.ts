import { runDeno } from "../child.ts";
import type { Command } from "../command.ts";
import { thisMachine } from "../redis/machine.ts";
import { provideRedis } from "../redis/provision.ts";
import type { Terminal } from "../terminal.ts";
import { CHROMIUM, provideTestTools, TEST_TOOLS } from "../test_tools.ts";

/** `deno task test`: the whole suite. */
export const test: Command = {
  name: "test",
  usage: "test [deno test's own arguments]",
  summary: "Runs all tests, on Redis servers that they start themselves",
  details: `
Everything after "test" is handed to deno test: deno task test --filter "publish", or deno task test tests/cli/
A redis-server, openssl, curl and (for tests/browser) Chromium are installed first where there are none. Without a
Chromium, or with SKIP_BROWSER_TESTS=1, the tests in tests/browser are skipped.`,
  examples: [
    "deno task test",
    'deno task test --filter "publish"',
    "SKIP_BROWSER_TESTS=1 deno task test tests/cli/",
  ],
  options: {},
  positionals: { least: 0, most: Infinity },
  passesOn: true,
  run: (input, terminal) => runTests(input.positionals, terminal),
};

/** Runs `deno test` on the whole suite, or on the paths among the arguments. Resolves to the exit code. */
export async function runTests(args: readonly string[], terminal: Terminal): Promise<number> {
  const machine = thisMachine(terminal);
  await provideRedis({ terminal, machine });
  const named = args.filter((arg) => !arg.startsWith("-") && exists(arg));
  const paths = named.length > 0 ? named : ["tests/"];
  const tools = TEST_TOOLS.filter((tool) => tool !== CHROMIUM || needsBrowser(paths));
  const lacking = await provideTestTools({ terminal, machine, tools });
  if (lacking.includes(CHROMIUM)) Deno.env.set("SKIP_BROWSER_TESTS", "1");
  const rest = named.length > 0 ? [] : paths;
  return await runDeno(["test", "-A", "--frozen", "--parallel", ...args, ...rest], terminal);
}

/** A Chromium is large: it is not installed for the sake of other tests. */
function needsBrowser(paths: readonly string[]): boolean {
  if (Deno.env.get("SKIP_BROWSER_TESTS")) return false;
  const browser = Deno.realPathSync("tests/browser");
  return paths.map((path) => Deno.realPathSync(path)).some((path) =>
    `${browser}/`.startsWith(`${path}/`) || path.startsWith(`${browser}/`)
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
