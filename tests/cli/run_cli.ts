import { fileURLToPath } from "node:url";
import { taskFlags } from "../_support/task_flags.ts";

/** How a command ended, and what it wrote. */
export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of {@link runCli}. */
export interface RunCliOptions {
  /** Set for the command; of this process's own environment it gets only what finds programs and caches. @default {} */
  readonly env?: Readonly<Record<string, string>>;
  /** Given on stdin. @default "" */
  readonly stdin?: string;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOREIGN = /^(REDIS_|RUNNEL_|TLS_|PORT$|HOST$|LOG_LEVEL$)/;

/** Runs a command of the CLI in a process of its own, as its task would, and waits for its end. */
export async function runCli(
  args: readonly string[],
  { env = {}, stdin = "" }: RunCliOptions = {},
): Promise<CliResult> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", ...taskFlags(args[0] ?? ""), "lib/cli/main.ts", ...args],
    cwd: ROOT,
    env: { ...inherited(), NO_COLOR: "1", ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  // A command that fails early does not read its input.
  await writer.write(new TextEncoder().encode(stdin)).then(() => writer.close()).catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

function inherited(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  return Object.fromEntries(all.filter(([name]) => !FOREIGN.test(name)));
}
