/** What `deno task` runs: `deno run … lib/cli/main.ts <command>`. */
import { CliError } from "./cli_error.ts";
import { type Command, parseInput } from "./command.ts";
import { commandHelp, overview } from "./help.ts";
import { processTerminal, type Terminal } from "./terminal.ts";

// Loaded when asked for: `publish` should not wait for the Redis client that only `start` and `doctor` need.
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  start: async () => (await import("./commands/start.ts")).start,
  dev: async () => (await import("./commands/dev.ts")).dev,
  publish: async () => (await import("./commands/publish.ts")).publish,
  subscribe: async () => (await import("./commands/subscribe.ts")).subscribe,
  batch: async () => (await import("./commands/batch.ts")).batch,
  topics: async () => (await import("./commands/topics.ts")).topics,
  work: async () => (await import("./commands/work.ts")).work,
  request: async () => (await import("./commands/request.ts")).request,
  reply: async () => (await import("./commands/reply.ts")).reply,
  dead: async () => (await import("./commands/dead.ts")).dead,
  demo: async () => (await import("./commands/demo.ts")).demo,
  keys: async () => (await import("./commands/keys.ts")).keys,
  redis: async () => (await import("./commands/redis.ts")).redis,
  reshard: async () => (await import("./commands/reshard.ts")).reshard,
  doctor: async () => (await import("./commands/doctor.ts")).doctor,
  build: async () => (await import("./commands/build.ts")).build,
  test: async () => (await import("./commands/test.ts")).test,
  ok: async () => (await import("./commands/ok.ts")).ok,
};

/** Runs the command that the arguments name, and resolves to the exit code of the process. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    // `deno task subscribe … | head` is a normal way to end.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    if (!(error instanceof CliError)) throw error;
    terminal.err(`${terminal.style("red", "error:")} ${error.message}`);
    for (const line of error.advice) terminal.err(`  ${line}`);
    return error.exitCode;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name = "help", ...rest] = args;
  if (["help", "--help", "-h"].includes(name)) {
    const commands = await Promise.all(Object.values(COMMANDS).map((load) => load()));
    terminal.out(overview(commands));
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!load) {
    const known = Object.keys(COMMANDS).join(", ");
    throw new CliError(`Cannot find a command "${name}"`, {
      exitCode: 2,
      advice: [`There are: ${known}`],
    });
  }
  const command = await load();
  if (asksForHelp(rest)) {
    terminal.out(commandHelp(command));
    return 0;
  }
  return await command.run(parseInput(command, rest), terminal);
}

// What follows `--` is data: `deno task publish topic1 -- --help` publishes "--help".
function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  return own.includes("--help") || own.includes("-h");
}

if (import.meta.main) Deno.exit(await main(Deno.args, processTerminal()));
