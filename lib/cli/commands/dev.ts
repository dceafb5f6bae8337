import { fileURLToPath } from "node:url";
import { refreshAll } from "../build/outputs.ts";
import { CliError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { FileWatch } from "../file_watch.ts";
import type { ManagedRedis } from "../redis/managed_redis.ts";
import { readSettings, useManagedRedis } from "../settings.ts";
import { StopSignals } from "../stop_signals.ts";
import type { Terminal } from "../terminal.ts";
import { startRedis } from "./start.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const WATCHED = ["functions", "lib", "deno.json", "import_map.json"];

/** `deno task dev`: start, again after every change. */
export const dev: Command = {
  name: "dev",
  usage: "dev",
  summary: "Like start, and starts the server again after every change of a file",
  details: `
The Redis stays; open streams are told to come back, as with any stop. The modules that hold the
console, the client and the documentation are made again too, as by deno task build.`,
  examples: ["deno task dev", "LOG_LEVEL=debug deno task dev"],
  options: {},
  positionals: { least: 0, most: 0 },
  async run(_input, terminal) {
    let redis: ManagedRedis | undefined;
    using stop = new StopSignals(() => {
      redis?.stopWithoutWaiting();
      Deno.exit(130);
    });
    const settings = readSettings();
    try {
      if (!settings.redis) {
        redis = await startRedis(settings, { terminal, signal: stop.signal });
        useManagedRedis(redis.url);
      }
      await serveAgainAndAgain(stop, terminal);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      await redis?.[Symbol.asyncDispose]();
    }
    return 0;
  },
};

async function serveAgainAndAgain(stop: StopSignals, terminal: Terminal): Promise<void> {
  using files = new FileWatch(WATCHED.map((path) => ROOT + path));
  while (!stop.signal.aborted) {
    await rebuild(terminal);
    const server = spawnServer();
    const next = files.next();
    const endedByItself = await Promise.race([
      server.status.then(() => true),
      stop.asked.then(() => false),
      next.then(() => false),
    ]);
    if (endedByItself) {
      terminal.err("The server has ended; it starts again when a file changes");
      await Promise.race([stop.asked, next]);
    } else {
      terminate(server);
      await server.status;
    }
  }
}

/** What cannot be built stays as it was: whoever works on it sees why. */
async function rebuild(terminal: Terminal): Promise<void> {
  try {
    for (const path of await refreshAll({ write: true })) terminal.err(`made ${path}`);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    for (const line of [error.message, ...error.advice]) terminal.err(line);
  }
}

function terminate(server: Deno.ChildProcess): void {
  try {
    server.kill("SIGTERM");
  } catch (error) {
    // Ctrl-C reached it too, and it was quicker.
    if (!(error instanceof TypeError)) throw error;
  }
}

function spawnServer(): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--unstable-no-legacy-abort",
      fileURLToPath(new URL("../main.ts", import.meta.url)),
      "start",
    ],
    stdin: "null",
  }).spawn();
}
