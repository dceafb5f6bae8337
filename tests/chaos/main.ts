/** `deno task chaos`: breaks things while everything runs at full speed, and says whether a promise was broken. */
import { AssertionError } from "node:assert/strict";
import { parseArgs } from "node:util";
import { thisMachine } from "../../lib/cli/redis/machine.ts";
import { provideRedis } from "../../lib/cli/redis/provision.ts";
import { StopSignals } from "../../lib/cli/stop_signals.ts";
import { processTerminal } from "../../lib/cli/terminal.ts";
import { TOPOLOGIES } from "../../lib/cli/topology/topology.ts";
import { type ChaosResult, runChaos } from "./chaos.ts";
import { commandFault, type FaultKind, FAULTS, faultsFor } from "./fault_kinds.ts";
import { type Ground, type GroundName, openGround } from "./ground.ts";
import { formatReport } from "./report.ts";

const NAMES: readonly GroundName[] = [...TOPOLOGIES, "own"];

const HELP = `deno task chaos --topology <${NAMES.join("|")}> [options]

Publishers, subscribers that stay and that come and go, consumers of groups and delayed messages at full speed, while
faults are committed one after the other. It ends with a table, and fails where a promise was broken. All of it listens
on this machine only.

  --topology <name>     what is started to be broken; own is what REDIS_URL and the variables beside it lead to:
                        there, instances are broken, and what --command breaks
  --url <urls>          with own: instances of Runnel that run already, in place of two that are started
  --faults <names>      what is done, with commas between (all that the topology bears)
  --command <line>      with own: a command that breaks something and mends it again, such as a restart of your Redis
  --seconds <n>         for how long (60)
  --seed <n>            the same faults again (1)
  --durability <name>   stored or replicated (replicated where a replica can take a primary's place)
  --json <file>         where the result goes too

${FAULTS.map(({ name, about }) => `  ${name.padEnd(20)}  ${about}`).join("\n")}`;

const OPTIONS = {
  topology: { type: "string" },
  url: { type: "string" },
  faults: { type: "string" },
  command: { type: "string" },
  seconds: { type: "string", default: "60" },
  seed: { type: "string", default: "1" },
  durability: { type: "string" },
  json: { type: "string" },
  help: { type: "boolean", short: "h", default: false },
} as const;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>["values"];

async function main(): Promise<number> {
  const values = readOptions();
  const name = NAMES.find((one) => one === values.topology);
  if (values.help || name === undefined) {
    console.log(HELP);
    return values.help ? 0 : 2;
  }
  if (name !== "own") await provideRedis({ terminal, machine: thisMachine(terminal) });
  const urls = values.url?.split(/[\s,]+/) ?? [];
  const env = name === "own" ? ownEnvironment() : {};
  if (name === "own" && urls.length === 0 && env.REDIS_URL === undefined) {
    throw new RangeError("Cannot find your Redis: set REDIS_URL, or give --url");
  }
  // a second Ctrl-C waits for nothing
  using stop = new StopSignals(() => Deno.exit(130));
  await using ground = await openGround({ name, urls, env });
  const durability = readDurability(values.durability);
  const result = await runChaos({
    ground,
    seed: wholeNumber("--seed", values.seed),
    seconds: wholeNumber("--seconds", values.seconds),
    faults: readFaults(ground, values),
    ...(durability === undefined ? {} : { durability }),
    tell: (text) => terminal.err(text),
    signal: stop.signal,
  });
  if (values.json !== undefined) await Deno.writeTextFile(values.json, jsonOf(name, result));
  terminal.out(formatReport(result));
  for (const { kind, detail } of result.broken.slice(0, 20)) terminal.err(`${kind}: ${detail}`);
  return result.broken.length === 0 ? 0 : 1;
}

function readOptions(): Values {
  try {
    return parseArgs({ options: OPTIONS }).values;
  } catch (error) {
    // the one kind that it throws, in words for whoever typed it
    if (!(error instanceof TypeError)) throw error;
    throw new RangeError(error.message);
  }
}

/** What leads the instances to the user's own Redis, and how they are to use it. */
function ownEnvironment(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  return Object.fromEntries(all.filter(([name]) => /^(REDIS|RUNNEL)_/.test(name)));
}

function readFaults(ground: Ground, { faults, command }: Values): FaultKind[] {
  const known = [...faultsFor(ground), ...(command ? [commandFault(command)] : [])];
  if (faults === undefined) return known;
  return faults.split(",").filter((name) => name !== "none").map((name) => {
    const kind = known.find((one) => one.name === name);
    if (kind !== undefined) return kind;
    throw new RangeError(
      `Cannot commit ${name} there: it bears ${known.map(({ name }) => name).join(", ")}`,
    );
  });
}

function readDurability(text: string | undefined): ChaosResult["durability"] | undefined {
  if (text === undefined || text === "stored" || text === "replicated") return text;
  throw new RangeError(`Cannot use --durability ${text}: it is stored or replicated`);
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value > 0) return value;
  throw new RangeError(`Cannot use ${name} ${text}: it must be a whole number above 0`);
}

function jsonOf(topology: GroundName, result: ChaosResult): string {
  return JSON.stringify({ topology, time: new Date().toISOString(), ...result }, null, 2) + "\n";
}

const terminal = processTerminal();
try {
  Deno.exitCode = await main();
} catch (error) {
  // what was asked for cannot be done, or nothing works from the beginning
  if (!(error instanceof RangeError || error instanceof AssertionError)) throw error;
  terminal.err(error.message);
  Deno.exitCode = 2;
}
