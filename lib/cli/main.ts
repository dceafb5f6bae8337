/** What `deno task` runs: `deno run … lib/cli/main.ts <command>`. */
import { CliError } from "./cli_error.ts";
import { type Command, parseInput } from "./command.ts";
import { type CommandGroup, commandHelp, overview } from "./help.ts";
import { nearest } from "./nearest.ts";
import { printableLines } from "./printable.ts";
import { processTerminal, type Terminal } from "./terminal.ts";
import { versionText } from "./version.ts";

type Loader = () => Promise<Command>;

// Loaded when asked for: `publish` should not wait for the Redis client that only `start` and `doctor` need.
const GROUPS: readonly { title: string; commands: Readonly<Record<string, Loader>> }[] = [
  {
    title: "Run it",
    commands: {
      start: async () => (await import("./commands/start.ts")).start,
      dev: async () => (await import("./commands/dev.ts")).dev,
      doctor: async () => (await import("./commands/doctor.ts")).doctor,
      redis: async () => (await import("./commands/redis.ts")).redis,
      demo: async () => (await import("./commands/demo.ts")).demo,
    },
  },
  {
    title: "Publish and subscribe",
    commands: {
      publish: async () => (await import("./commands/publish.ts")).publish,
      subscribe: async () => (await import("./commands/subscribe.ts")).subscribe,
      batch: async () => (await import("./commands/batch.ts")).batch,
    },
  },
  {
    title: "Share work, ask and answer",
    commands: {
      work: async () => (await import("./commands/work.ts")).work,
      dead: async () => (await import("./commands/dead.ts")).dead,
      request: async () => (await import("./commands/request.ts")).request,
      reply: async () => (await import("./commands/reply.ts")).reply,
    },
  },
  {
    title: "Look at it",
    commands: {
      topics: async () => (await import("./commands/topics.ts")).topics,
      top: async () => (await import("./commands/top.ts")).top,
    },
  },
  {
    title: "Deploy it",
    commands: {
      "deploy:check": async () => (await import("./commands/deploy_check.ts")).deployCheck,
      keys: async () => (await import("./commands/keys.ts")).keys,
      reshard: async () => (await import("./commands/reshard.ts")).reshard,
    },
  },
  {
    title: "Work on it",
    commands: {
      build: async () => (await import("./commands/build.ts")).build,
      test: async () => (await import("./commands/test.ts")).test,
      ok: async () => (await import("./commands/ok.ts")).ok,
    },
  },
];

const COMMANDS: ReadonlyMap<string, Loader> = new Map(
  GROUPS.flatMap(({ commands }) => Object.entries(commands)),
);

/** Runs the command that the arguments name, and resolves to the exit code of the process. */
export async function main(args: readonly string[], terminal: Terminal): Promise<number> {
  try {
    return await dispatch(args, terminal);
  } catch (error) {
    // `deno task subscribe … | head` is a normal way to end.
    if (error instanceof Deno.errors.BrokenPipe) return 0;
    if (!(error instanceof CliError)) throw error;
    if (ownArguments(args).includes("--json")) terminal.err(errorJson(error));
    else tellError(error, terminal);
    return error.exitCode;
  }
}

async function dispatch(args: readonly string[], terminal: Terminal): Promise<number> {
  const [first = "help", ...rest] = args;
  if (["--version", "-V", "version"].includes(first)) {
    terminal.out(versionText());
    return 0;
  }
  const asked = ["help", "--help", "-h"].includes(first);
  const name = asked ? rest[0] : first;
  if (name === undefined) {
    terminal.out(overview(await loadGroups(), terminal));
    return 0;
  }
  const load = COMMANDS.get(name);
  if (!load) throw unknownCommand(name);
  const command = await load();
  if (asked || asksForHelp(rest)) {
    terminal.out(commandHelp(command, terminal));
    return 0;
  }
  return await command.run(parseInput(command, rest), terminal);
}

function unknownCommand(name: string): CliError {
  const meant = nearest(name, COMMANDS.keys());
  return new CliError(`Cannot find a command "${name}"`, {
    exitCode: 2,
    advice: [
      ...(meant === undefined ? [] : [`Is this meant? deno task ${meant}`]),
      `There are: ${[...COMMANDS.keys()].join(", ")}`,
    ],
  });
}

async function loadGroups(): Promise<CommandGroup[]> {
  return await Promise.all(GROUPS.map(async ({ title, commands }) => ({
    title,
    commands: await Promise.all(Object.values(commands).map((load) => load())),
  })));
}

function tellError({ message, advice }: CliError, { err, style }: Terminal): void {
  // what a server answered may stand in it
  err(`${style("red", "error:")} ${printableLines(message)}`);
  for (const line of advice) err(`  ${printableLines(line)}`);
}

function errorJson({ message, advice, exitCode, refusal }: CliError): string {
  return JSON.stringify({ error: message, advice, exitCode, ...refusal });
}

function asksForHelp(args: readonly string[]): boolean {
  const own = ownArguments(args);
  return own.includes("--help") || own.includes("-h");
}

// What follows `--` is data: `deno task publish topic1 -- --help` publishes "--help".
function ownArguments(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end === -1 ? args : args.slice(0, end);
}

if (import.meta.main) Deno.exit(await main(Deno.args, processTerminal()));
