/** Runnel in a process of its own, for tests that kill, stop or signal it. */
import { type GuardedProcess, spawnGuarded } from "../../lib/cli/topology/guarded_process.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { taskFlags } from "./task_flags.ts";
import { until } from "./until.ts";

/** Options of {@link startServer}. */
export interface ServerOptions {
  readonly redisUrl?: string;
  /** Further environment. @default {} */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * Serves this file with `deno serve` (path from the repository's root) in place of `deno task start`. Nothing is let
   * in there unless the environment says so.
   */
  readonly file?: string;
  /** The deno that runs it. @default this one */
  readonly deno?: string;
  /** Arguments between `deno run` or `deno serve` and the file. @default those of the task `start` or `serve` */
  readonly denoArgs?: readonly string[];
  /** A port of the caller's choice. @default a free one */
  readonly port?: number;
  /** Milliseconds until it must answer. @default 30000 */
  readonly timeoutMs?: number;
}

/** A server process. Disposing it kills it. */
export interface ServerProcess extends GuardedProcess {
  /** Without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** What it wrote so far. */
  output(): Promise<{ stdout: string; stderr: string }>;
}

const ROOT = new URL("../../", import.meta.url).pathname;

/** Starts Runnel on a free port and waits until it answers. */
export async function startServer(options: ServerOptions = {}): Promise<ServerProcess> {
  const dir = await Deno.makeTempDir({ prefix: "runnel-server-" });
  for (let attempt = 1;; attempt++) {
    const server = launch(options, dir);
    try {
      await untilLive(server, options.timeoutMs ?? 30_000);
      return server;
    } catch (error) {
      const { stdout, stderr } = await server.output();
      const again = /AddrInUse|address already in use/i.test(stdout + stderr) && attempt < 10;
      await server.kill9();
      await truncate(dir);
      if (again) continue;
      await Deno.remove(dir, { recursive: true });
      throw new Error(`Cannot start the server: ${stdout}\n${stderr}`, { cause: error });
    }
  }
}

/** Starts Runnel on a free port and does not wait for it: for whoever times how long it takes. */
export async function launchServer(options: ServerOptions = {}): Promise<ServerProcess> {
  return launch(options, await Deno.makeTempDir({ prefix: "runnel-server-" }));
}

function launch(options: ServerOptions, dir: string): ServerProcess {
  const { deno = Deno.execPath(), file } = options;
  const { denoArgs = taskFlags(file === undefined ? "start" : "serve") } = options;
  const port = options.port ?? freePort();
  const [stdout, stderr] = [`${dir}/stdout`, `${dir}/stderr`];
  const args = file === undefined
    ? ["run", ...denoArgs, "lib/cli/main.ts", "start"]
    : ["serve", ...denoArgs, "--host", "127.0.0.1", "--port", `${port}`, file];
  const child = spawnGuarded({
    command: deno,
    args,
    cwd: ROOT,
    env: environment(options, port),
    unset: INHERITED,
    stdout,
    stderr,
  });
  return {
    pid: child.pid,
    status: child.status,
    get exited() {
      return child.exited;
    },
    signal: child.signal,
    kill9: child.kill9,
    port,
    url: `http://127.0.0.1:${port}`,
    output: async () => ({ stdout: await readText(stdout), stderr: await readText(stderr) }),
    [Symbol.asyncDispose]: async () => {
      await child.kill9();
      await Deno.remove(dir, { recursive: true });
    },
  };
}

/** Variables of this process that are a developer's own settings: they must not leak into what is tested. */
export const INHERITED = Object.keys(Deno.env.toObject()).filter((name) =>
  /^(REDIS_|RUNNEL_|TLS_|PORT$|HOST$|LOG_LEVEL$)/.test(name)
);

function environment(options: ServerOptions, port: number): Record<string, string> {
  return {
    PORT: `${port}`,
    NO_COLOR: "1",
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    ...options.env,
  };
}

async function untilLive(server: ServerProcess, timeoutMs: number): Promise<void> {
  await until(async () => {
    if (server.exited) return true;
    // A function that stands alone has no such path, but its 404 is an answer too.
    const response = await fetch(`${server.url}/health/live`);
    await response.body?.cancel();
    return true;
  }, { timeoutMs, everyMs: 25, what: "the server to answer" });
  if (server.exited) throw new Error("The server ended before it answered");
}

async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}

async function truncate(dir: string): Promise<void> {
  for (const name of ["stdout", "stderr"]) await Deno.writeTextFile(`${dir}/${name}`, "");
}
