/** A command of the CLI that goes on while the test does something else. */
import { fileURLToPath } from "node:url";
import { spawnGuarded } from "../../lib/cli/topology/guarded_process.ts";
import { taskFlags } from "../_support/task_flags.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOREIGN = /^(REDIS_|RUNNEL_|TLS_|PORT$|HOST$|LOG_LEVEL$)/;

/** A running command. Disposing it kills it. */
export interface BackgroundCli extends AsyncDisposable {
  readonly exited: boolean;
  /** What it wrote so far. */
  stdout(): Promise<string>;
  stderr(): Promise<string>;
  signal(name: Deno.Signal): void;
  kill9(): Promise<void>;
  /** Its exit code, when it has ended. */
  readonly code: Promise<number>;
}

/** Starts a command as its task would; of this process's own environment it gets only what finds programs and caches. */
export async function startCli(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<BackgroundCli> {
  const dir = await Deno.makeTempDir({ prefix: "runnel-cli-" });
  const child = spawnGuarded({
    command: Deno.execPath(),
    args: ["run", ...taskFlags(args[0] ?? ""), "lib/cli/main.ts", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    unset: Object.keys(Deno.env.toObject()).filter((name) => FOREIGN.test(name)),
    stdout: `${dir}/stdout`,
    stderr: `${dir}/stderr`,
  });
  const read = (name: string) => Deno.readTextFile(`${dir}/${name}`).catch(() => "");
  return {
    get exited() {
      return child.exited;
    },
    stdout: () => read("stdout"),
    stderr: () => read("stderr"),
    signal: child.signal,
    kill9: child.kill9,
    code: child.status.then(({ code }) => code),
    [Symbol.asyncDispose]: async () => {
      await child.kill9();
      await Deno.remove(dir, { recursive: true });
    },
  };
}
