/** Child processes that never outlive the test process, however that one ends. */

/** What to run. */
export interface GuardedCommand {
  readonly command: string;
  readonly args?: readonly string[];
  /** Added to this process's environment. @default {} */
  readonly env?: Readonly<Record<string, string>>;
  /** Removed from this process's environment. @default [] */
  readonly unset?: readonly string[];
  readonly cwd?: string;
  /** Files that stdout and stderr go to. @default "/dev/null" */
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A running child. Its pid is the command's own, so signals reach it and nothing else. */
export interface GuardedProcess extends AsyncDisposable {
  readonly pid: number;
  /** How it ended; resolves once it has. */
  readonly status: Promise<Deno.CommandStatus>;
  readonly exited: boolean;
  signal(signal: Deno.Signal): void;
  /** Kills it with SIGKILL, stopped or not, and waits until it is gone. */
  kill9(): Promise<void>;
}

// The watcher waits on the pipe from the test process. A line means "it ended in an orderly way"; an end of file
// without a line means that the test process died, whatever killed it.
const WATCHED = `exec 3<&0
(read -r _ <&3 || kill -9 $$) >/dev/null 2>&1 &
out=$1; err=$2; shift 2
exec "$@" </dev/null 3<&- >>"$out" 2>>"$err"`;

/** Starts a command that is killed when this process ends, even by SIGKILL. */
export function spawnGuarded(options: GuardedCommand): GuardedProcess {
  const { command, args = [], stdout = "/dev/null", stderr = "/dev/null" } = options;
  const child = new Deno.Command("/bin/sh", {
    args: ["-c", WATCHED, "guarded", stdout, stderr, command, ...args],
    env: environment(options),
    clearEnv: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    stdin: "piped",
    stdout: "null",
    stderr: "null",
  }).spawn();
  return guard(child);
}

function environment({ env = {}, unset = [] }: GuardedCommand): Record<string, string> {
  const result = Deno.env.toObject();
  for (const name of unset) delete result[name];
  return { ...result, ...env };
}

function guard(child: Deno.ChildProcess): GuardedProcess {
  let exited = false;
  const status = child.status.then(async (value) => {
    exited = true;
    await releaseWatcher(child.stdin);
    return value;
  });
  const signal = (name: Deno.Signal) => {
    if (!exited) child.kill(name);
  };
  const kill9 = async () => {
    signal("SIGKILL");
    await status;
  };
  return {
    pid: child.pid,
    status,
    get exited() {
      return exited;
    },
    signal,
    kill9,
    [Symbol.asyncDispose]: kill9,
  };
}

async function releaseWatcher(stdin: WritableStream<Uint8Array>): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(new TextEncoder().encode("\n"));
    await writer.close();
  } catch {
    // The watcher died with its process group (Ctrl-C): nothing is left to release.
  }
}
