/** A command of the CLI on a terminal: `script` of util-linux, which every Debian has, makes a pseudo-terminal. */
import { fileURLToPath } from "node:url";
import { findProgram } from "../../lib/cli/test_tools.ts";
import { taskFlags } from "../_support/task_flags.ts";
import { until } from "../_support/until.ts";

/** Whether there are pseudo-terminals here; macOS has another `script`. */
export const hasTerminals = Deno.build.os === "linux" && findProgram("script") !== undefined;

if (!hasTerminals) console.error("skipped: tests on a terminal, for want of script (util-linux)");

/** A command that runs on a terminal. Disposing it kills it. */
export interface PseudoTerminal extends AsyncDisposable {
  /** All that was written so far. */
  readonly text: string;
  /** What the last whole frame of a full screen shows, without colours. */
  readonly frame: string;
  /** Types. */
  type(text: string): Promise<void>;
  resize(size: { columns: number; lines: number }): Promise<void>;
  /** Waits until what was written fits. */
  shows(what: RegExp | ((frame: string) => boolean)): Promise<void>;
  /** Its exit code, when it has ended. */
  readonly code: Promise<number>;
}

const FRAME_END = "\x1b[?2026l";
const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FOREIGN = /^(REDIS_|RUNNEL_|TLS_|PORT$|HOST$|LOG_LEVEL$|NO_COLOR$|FORCE_COLOR$)/;

/** Runs a command of the CLI on a terminal of 100 by 20, as its task would. */
export function openTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): PseudoTerminal {
  // Deno's own progress bar would stand between what the command writes
  const deno = [
    Deno.execPath(),
    "run",
    "--quiet",
    ...taskFlags(args[0] ?? ""),
    "lib/cli/main.ts",
    ...args,
  ];
  const line = `stty cols 100 rows 20; tty; exec ${deno.map(quoted).join(" ")}`;
  const inherited = Object.entries(Deno.env.toObject()).filter(([name]) => !FOREIGN.test(name));
  const child = new Deno.Command("script", {
    args: ["--quiet", "--return", "--flush", "--command", line, "/dev/null"],
    cwd: ROOT,
    env: { ...Object.fromEntries(inherited), TERM: "xterm-256color", SHELL: "/bin/sh", ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const keyboard = child.stdin.getWriter();
  let written = "";
  const reading = (async () => {
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) written += part;
  })();
  const code = child.status.then((status) => status.code);
  // a read may end in the middle of a frame
  const frame = () => {
    const whole = written.slice(0, Math.max(0, written.lastIndexOf(FRAME_END)));
    return plain(whole.slice(Math.max(0, whole.lastIndexOf("\x1b[H"))));
  };
  return {
    get text() {
      return written;
    },
    get frame() {
      return frame();
    },
    type: (text) => keyboard.write(new TextEncoder().encode(text)),
    async resize({ columns, lines }) {
      const device = /\/dev\/pts\/\d+/.exec(written)?.[0] ?? "";
      const size = ["cols", `${columns}`, "rows", `${lines}`];
      const { success } = await new Deno.Command("stty", { args: ["-F", device, ...size] })
        .output();
      if (!success) throw new Error(`Cannot resize ${device}`);
    },
    async shows(what) {
      await until(() => {
        if (what instanceof RegExp ? what.test(plain(written)) : what(frame())) return true;
        throw new Error(`there is\n${plain(written).slice(-3_000)}`);
      }, { what: `${what}`, timeoutMs: 30_000 });
    },
    code,
    async [Symbol.asyncDispose]() {
      // its terminal is closed with it, and the command gets a SIGHUP
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended
      }
      await code;
      await keyboard.close().catch(() => {});
      await reading;
    },
  };
}

/** The text without colours and other commands to the terminal. */
export function plain(text: string): string {
  // deno-lint-ignore no-control-regex -- that is what is taken away
  return text.replace(/\x1b\[[?\d;]*[A-Za-z]/g, "").replaceAll("\r", "");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
