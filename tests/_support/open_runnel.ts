/** Runnel inside the test's own process: an isolated app behind a port of its own. */
import { createMain } from "../../functions/main.ts";
import { type App, createApp } from "../../lib/app.ts";
import { loadConfig } from "../../lib/config.ts";
import { createLogger, type LogLevel } from "../../lib/log.ts";
import type { Fetch } from "./http.ts";

/** Options of {@link openRunnel}. */
export interface RunnelOptions {
  readonly redisUrl: string;
  /** Environment variables of the configuration. @default open mode */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it counts as bound to loopback, as under `deno task start`. @default true */
  readonly loopback?: boolean;
  /** The lowest level that is kept. @default "debug" */
  readonly logLevel?: LogLevel;
}

/** A running Runnel. Disposing it ends its streams, its Redis connections and its port. */
export interface Runnel extends AsyncDisposable {
  readonly app: App;
  /** Without a slash at the end. */
  readonly url: string;
  /** Calls the handler without a port. */
  readonly fetch: Fetch;
  /** The log's lines so far. */
  readonly logs: readonly string[];
  /** Ends it as a process that stops would. */
  close(): Promise<void>;
}

/** Opens an app of its own, with no state shared but Redis. */
export function openRunnel(options: RunnelOptions): Promise<Runnel> {
  const { redisUrl, env = {}, loopback = true, logLevel: level = "debug" } = options;
  const logs: string[] = [];
  const variables: Record<string, string> = { REDIS_URL: redisUrl, RUNNEL_AUTH: "open", ...env };
  const config = loadConfig((name) => variables[name]);
  const log = createLogger({ level, write: (line) => void logs.push(line) });
  const app = createApp(config, log, { loopback });
  const main = createMain(() => Promise.resolve(app));
  const call: Fetch = async (request) => await main.fetch(request);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, call);
  let closing: Promise<void> | undefined;
  const close = () => closing ??= end(app, server);
  return Promise.resolve({
    app,
    url: `http://127.0.0.1:${server.addr.port}`,
    fetch: call,
    logs,
    close,
    [Symbol.asyncDispose]: close,
  });
}

async function end(app: App, server: Deno.HttpServer<Deno.NetAddr>): Promise<void> {
  await app.close();
  await server.shutdown();
}
