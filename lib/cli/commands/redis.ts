import { provideRedis } from "../redis/provision.ts";
import { thisMachine } from "../redis/machine.ts";
import { CliError } from "../cli_error.ts";
import type { Command, CommandInput } from "../command.ts";
import { StopSignals } from "../stop_signals.ts";
import type { Terminal } from "../terminal.ts";
import { ServerStartError } from "../topology/local_redis.ts";
import { startTopology } from "../topology/start_topology.ts";
import {
  TOPOLOGIES,
  type Topology,
  type TopologyName,
  type TopologyOptions,
} from "../topology/topology.ts";

const NAMES = TOPOLOGIES.join("|");

/** `deno task redis`: Redis servers to play with. */
export const redis: Command = {
  name: "redis",
  usage: `redis <${NAMES}>`,
  summary: "Starts Redis servers to try things out with: Sentinels, a Cluster …",
  details: `
  single    one Redis
  tls       one Redis with TLS that asks for a client certificate
  sentinel  a primary, two replicas, and three Sentinels that replace a primary that is gone
  cluster   three primaries with a replica each
  shards    three Redis that know nothing of each other
What they print leads Runnel there, in another terminal. They listen on this machine only, are set up as those of
docker-compose.yml, and at Ctrl-C all of them end and their data are removed.`,
  examples: [
    "deno task redis sentinel",
    "deno task redis shards --shards 5 --password secret",
    "deno task redis cluster --json",
  ],
  options: {
    shards: { value: "<n>", help: "How many Redis there are with shards (3)" },
    password: { value: "<text>", help: "They ask for a password" },
    json: { help: "Print the variables and the servers as JSON" },
  },
  positionals: { least: 1, most: 1 },
  async run(input, terminal) {
    const name = readName(input.positionals[0]);
    const options = readOptions(input);
    using stop = new StopSignals(() => Deno.exit(130));
    await provideRedis({ terminal, machine: thisMachine(terminal) });
    await using topology = await start(name, options);
    describe(topology, { input, terminal });
    await stop.asked;
    return 0;
  },
};

function readName(text = ""): TopologyName {
  const name = TOPOLOGIES.find((one) => one === text);
  if (name !== undefined) return name;
  throw new CliError(`Cannot start "${text}"`, { exitCode: 2, advice: [`There are: ${NAMES}`] });
}

function readOptions(input: CommandInput): TopologyOptions {
  const shards = input.text("shards");
  const password = input.text("password");
  if (shards !== undefined && !/^[1-9]\d?$/.test(shards)) {
    throw new CliError(`Cannot start ${shards} shards: give a number from 1 to 99`, {
      exitCode: 2,
    });
  }
  return {
    ...(shards === undefined ? {} : { shards: Number(shards) }),
    ...(password === undefined ? {} : { password, sentinelPassword: password }),
  };
}

async function start(name: TopologyName, options: TopologyOptions): Promise<Topology> {
  try {
    return await startTopology(name, options);
  } catch (error) {
    if (error instanceof ServerStartError) throw new CliError(error.message);
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CliError("Cannot start it: a program is missing", {
      advice: [error.message, "TLS needs openssl"],
    });
  }
}

function describe(
  { env, servers }: Topology,
  { input, terminal }: { input: CommandInput; terminal: Terminal },
): void {
  const list = servers.map(({ part, server: { port, pid } }) => ({ part, port, pid }));
  if (input.has("json")) return terminal.out(JSON.stringify({ env, servers: list }));
  for (const [variable, value] of Object.entries(env)) {
    terminal.out(`export ${variable}=${quoted(value)}`);
  }
  for (const { part, port, pid } of list) {
    terminal.err(`  ${part.padEnd(8)} 127.0.0.1:${port}  process ${pid}`);
  }
  terminal.err("Copy the lines above into another terminal, and there: deno task start");
  terminal.err("To see what becomes of a lost server: kill -9 its process. Ctrl-C ends all.");
}

function quoted(value: string): string {
  return /^[\w@%+=:,./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}
