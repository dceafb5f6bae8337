import { setTimeout as pause } from "node:timers/promises";
import type { Config } from "../../config.ts";
import { describeRedisAddress } from "../../redis/address.ts";
import { surveyKeys } from "../../redis/key_survey.ts";
import type { RedisOptions } from "../../redis/options.ts";
import { isLoopbackHost } from "../../http/origin.ts";
import type { Command } from "../command.ts";
import { assertFree, type LocalServer, serve } from "../local_server.ts";
import { thisMachine } from "../redis/machine.ts";
import { ManagedRedis } from "../redis/managed_redis.ts";
import { provideRedis } from "../redis/provision.ts";
import { examineAll } from "../findings/examination.ts";
import { warnOf } from "../findings/finding.ts";
import { misnamedSettings, readSettings, useManagedRedis } from "../settings.ts";
import { StopSignals } from "../stop_signals.ts";
import type { Terminal } from "../terminal.ts";

// Five seconds in all, which is what hosts give; the rest is for Redis and the exit itself.
const DRAIN_MS = 3_500;
const REDIS_STOP_MS = 1_000;

/** `deno task start`: everything behind one server, with a Redis of its own where none is named. */
export const start: Command = {
  name: "start",
  usage: "start",
  summary: "Runs all of Runnel behind one server, with a Redis of its own",
  details: `
It is set up by environment variables, among them:
  PORT, HOST        where it listens (127.0.0.1:8000)
  REDIS_URL         the Redis to use; unset, a redis-server is started (and installed, if need be)
  RUNNEL_DATA_DIR   the data of that redis-server, kept between runs (.runnel)
  RUNNEL_AUTH       who is let in: keys, jwt, jwt,keys or open; unset on a loopback host, it is open, so that
                    whoever reaches the port may do everything; unset elsewhere, nobody is let in
Ctrl-C or SIGTERM ends it within five seconds: what is under way is finished, streams are told when to come back.
A second Ctrl-C ends it at once.`,
  examples: [
    "deno task start  # on http://127.0.0.1:8000, with a Redis of its own",
    "PORT=9000 REDIS_URL=redis://db.example:6379 deno task start",
    "RUNNEL_AUTH=keys HOST=0.0.0.0 deno task start  # for others too, with API keys",
  ],
  options: {},
  positionals: { least: 0, most: 0 },
  async run(_input, terminal) {
    let redis: ManagedRedis | undefined;
    using stop = new StopSignals(() => {
      redis?.stopWithoutWaiting();
      Deno.exit(130);
    });
    for (const text of misnamedSettings()) terminal.err(terminal.style("yellow", text));
    const settings = readSettings();
    assertFree(settings.server);
    try {
      if (!settings.redis) redis = await startRedis(settings, { terminal, signal: stop.signal });
      await serveUntilStopped({ settings, redis, terminal, stop });
    } catch (error) {
      if (!stop.signal.aborted) throw error;
    } finally {
      // One that needs longer has its signal and ends by itself; the next start waits for it or adopts it.
      if (redis) await Promise.race([redis[Symbol.asyncDispose](), pause(REDIS_STOP_MS)]);
    }
    return 0;
  },
};

interface StartOptions {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** Starts the managed Redis of these settings, installing redis-server first where it is missing. */
export async function startRedis(settings: Config, options: StartOptions): Promise<ManagedRedis> {
  const { terminal } = options;
  const binary = await provideRedis({ terminal, machine: thisMachine(terminal) });
  return await ManagedRedis.start({ dataDir: settings.dataDir, binary, ...options });
}

interface Serving {
  readonly settings: Config;
  readonly redis: ManagedRedis | undefined;
  readonly terminal: Terminal;
  readonly stop: StopSignals;
}

async function serveUntilStopped({ settings, redis, terminal, stop }: Serving): Promise<void> {
  const loopback = isLoopbackHost(settings.server.host);
  if (redis) useManagedRedis(redis.url);
  if (loopback && settings.auth.mode === "none") Deno.env.set("RUNNEL_AUTH", "open");
  // The functions read the environment when they are loaded: it had to be prepared before.
  const { app, configureApp } = await import("../../app.ts");
  configureApp({ loopback });
  const { default: functions } = await import("../../../functions/main.ts");
  const running = await app();
  running.broker.start();
  const server = serve(functions.fetch, settings.server);
  announce({ server, settings, redis, loopback, terminal });
  warnOfAuth({ settings, loopback, terminal });
  void warnOfNoKeys(running.config, terminal);
  // In the background: a Redis that is down does not keep the server from starting, and it may come later.
  if (settings.redis) void warnOfRedis(settings.redis, { settings, terminal });
  await stop.asked;
  terminal.err("Stopping: finishing what is under way (again to stop at once)");
  const drained = Promise.all([running.drain(), server.close(DRAIN_MS)]);
  await Promise.race([drained, pause(DRAIN_MS)]);
  await Promise.race([running.close(), pause(200)]);
}

interface Announcement {
  readonly server: LocalServer;
  readonly settings: Config;
  readonly redis: ManagedRedis | undefined;
  readonly loopback: boolean;
  readonly terminal: Terminal;
}

function announce({ server, settings, redis, loopback, terminal }: Announcement): void {
  const { mode } = settings.auth;
  const where = redis
    ? `its own, process ${redis.pid}, data in ${settings.dataDir}`
    : settings.redis?.map(({ address }) => describeRedisAddress(address)).join(", ");
  const shown = mode === "credentials" ? '-H "Authorization: Bearer $RUNNEL_TOKEN" ' : "";
  const letsIn = admission(settings, loopback);
  terminal.out(`Runnel listens on ${terminal.style("bold", server.url)}`);
  terminal.out(`Redis: ${where}`);
  terminal.out(`Auth:  ${letsIn}`);
  if (letsIn === NOBODY) return;
  terminal.out(`See:   ${server.url}/console`);
  terminal.out(`Try:   curl -N ${shown}${server.url}/subscribe/topic1`);
  terminal.out(`       curl ${shown}-d "Hello" ${server.url}/publish/topic1`);
}

const NOBODY = "nobody is let in";

/** Who is let in. */
function admission({ auth: { mode, jwt, keys, allowOpen } }: Config, loopback: boolean): string {
  if (mode === "credentials") {
    const kinds = [...(jwt ? ["tokens (JWT)"] : []), ...(keys ? ["API keys"] : [])];
    return `${kinds.join(" and ")}, for what they grant`;
  }
  if (loopback && mode === "none") {
    return "open, as RUNNEL_AUTH is unset and others cannot reach this: every program here may do everything";
  }
  if (mode === "open" && (loopback || allowOpen)) {
    return "open: whoever reaches this port may do everything";
  }
  return NOBODY;
}

function warnOfAuth(
  { settings, loopback, terminal }: { settings: Config; loopback: boolean; terminal: Terminal },
): void {
  const { mode, allowOpen } = settings.auth;
  if (loopback || mode === "credentials") return;
  if (mode === "open" && allowOpen) {
    terminal.err(
      terminal.style("yellow", "Whoever reaches this port may publish and read everything"),
    );
    return;
  }
  const lines = mode === "open"
    ? [
      "All but /health and pages without data is refused, as RUNNEL_AUTH=open lets in everybody who reaches this port:",
      "  RUNNEL_ALLOW_OPEN=1 acknowledges that",
    ]
    : [
      "All but /health and pages without data is refused, as nobody has said who may do what:",
      "  RUNNEL_AUTH=keys lets in API keys, which deno task keys create makes",
      "  RUNNEL_AUTH=jwt lets in the tokens of your application: RUNNEL_JWT_SECRET and the like say which",
      "  RUNNEL_AUTH=open RUNNEL_ALLOW_OPEN=1 lets in everybody who reaches this port",
    ];
  const [first = "", ...rest] = lines;
  terminal.err(terminal.style("yellow", first));
  for (const line of rest) terminal.err(line);
}

/** Says how to make the first API key, where keys alone are taken and there are none. */
async function warnOfNoKeys({ auth, redis, prefix }: Config, terminal: Terminal): Promise<void> {
  if (auth.jwt !== undefined || auth.keys?.length !== 0) return;
  try {
    if ((await surveyKeys(redis ?? [], prefix)).length > 0) return;
  } catch {
    // a Redis that cannot be asked is told of elsewhere
    return;
  }
  terminal.err(terminal.style("yellow", "There is no API key yet, so nobody is let in:"));
  terminal.err(
    '  deno task keys create <name> --manage --publish "**" --subscribe "**" --consume "**" makes one',
  );
}

async function warnOfRedis(
  shards: readonly RedisOptions[],
  { settings, terminal }: { settings: Config; terminal: Terminal },
): Promise<void> {
  const findings = await examineAll(shards, settings);
  const failures = findings.filter(({ level }) => level === "failure");
  for (const failure of failures) warnOf(failure, terminal);
  if (failures.length > 0) terminal.err("deno task doctor looks again, and says more");
}
