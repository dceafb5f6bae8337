import type { RedisAddress } from "../../redis/options.ts";
import { PERSISTENCE } from "./persistence.ts";
import { isAlive, signal } from "./process_table.ts";
import type { RedisBinary } from "./redis_binary.ts";

/** A running Redis process, our child or not. */
export interface RedisProcess {
  readonly pid: number;
  /** Resolves when it has ended, to words that say how. */
  readonly ended: Promise<string>;
  readonly alive: boolean;
}

/** What to start. */
export interface RedisCommand {
  readonly binary: RedisBinary;
  /** Where it shall listen: nowhere else. */
  readonly address: RedisAddress;
  readonly dir: string;
  readonly log: string;
}

/**
 * Starts a Redis in a process group and session of its own: the terminal's Ctrl-C and its closing do not reach it, so
 * that it is still there while the server drains.
 *
 * @throws {Error} when the program cannot be run.
 */
export function spawnRedis({ binary, address, dir, log }: RedisCommand): RedisProcess {
  const child = new Deno.Command(binary.path, {
    args: [
      // The password goes in by stdin: arguments are for everybody to read.
      "-",
      ...["--dir", dir, "--logfile", log, "--daemonize", "no"],
      ...PERSISTENCE,
      // The AOF has everything: a snapshot at the end would only make a stop slow.
      ...["--shutdown-on-sigterm", "nosave", "--shutdown-on-sigint", "nosave"],
      ...listen(address),
    ],
    detached: true,
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const configured = configure(child.stdin, address.password);
  let alive = true;
  const ended = child.status.then(async ({ code, signal }) => {
    alive = false;
    await configured;
    return signal === null ? `exit code ${code}` : signal;
  });
  return {
    pid: child.pid,
    ended,
    get alive() {
      return alive;
    },
  };
}

function listen({ path, host = "127.0.0.1", port = 0 }: RedisAddress): string[] {
  if (path === undefined) return ["--bind", host, "--port", `${port}`];
  return ["--port", "0", "--unixsocket", path, "--unixsocketperm", "700"];
}

async function configure(
  stdin: WritableStream<Uint8Array<ArrayBuffer>>,
  password: string | undefined,
): Promise<void> {
  const text = password === undefined ? "" : `requirepass ${password}\n`;
  try {
    const writer = stdin.getWriter();
    await writer.write(new TextEncoder().encode(text));
    await writer.close();
  } catch {
    // It ended before it read this: `ended` says how.
  }
}

/** Watches a Redis that somebody else started. */
export function watchRedis(pid: number): RedisProcess {
  const ended = (async () => {
    while (isAlive(pid)) await new Promise((resolve) => setTimeout(resolve, 200));
    return "it is gone";
  })();
  return {
    pid,
    ended,
    get alive() {
      return isAlive(pid);
    },
  };
}

/** Stops a Redis: by SIGTERM, and by SIGKILL if it has not ended after `patienceMs` milliseconds. */
export async function stopRedis(redis: RedisProcess, patienceMs = 2_000): Promise<void> {
  signal(redis.pid, "SIGTERM");
  const timer = setTimeout(() => signal(redis.pid, "SIGKILL"), patienceMs);
  await redis.ended;
  clearTimeout(timer);
}
