/** The code blocks of a page, and how they are run. */
import { fileURLToPath } from "node:url";
import { spawnGuarded } from "../../lib/cli/topology/guarded_process.ts";
import { INHERITED } from "../_support/server.ts";
import { deadline, until } from "../_support/until.ts";

/** One fenced block. */
export interface Snippet {
  /** The last heading before it. */
  readonly heading: string;
  /** As the fence names it. */
  readonly language: string;
  readonly text: string;
}

/** Where the pages say that Runnel is. */
export const SHOWN_URL = "http://localhost:8000";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FENCE = /^```(\w*)\n([^]*?)^```$|^#+ (.*)$/gm;

/** A page as it is. */
export function readPage(name: string): string {
  return Deno.readTextFileSync(`${ROOT}lib/docs/${name}`);
}

/** The code blocks of a page, in order. */
export function snippetsOf(page: string): Snippet[] {
  const found: Snippet[] = [];
  let heading = "";
  for (const [, language, text, title] of page.matchAll(FENCE)) {
    if (title !== undefined) heading = title;
    else found.push({ heading, language: language ?? "", text: text ?? "" });
  }
  return found;
}

/** The variables that a shell line sets for its command: `A=1 B=2 command`. */
export function variablesOf(text: string): Record<string, string> {
  const line = text.replaceAll("\\\n", " ");
  return Object.fromEntries(
    [...line.matchAll(/\b([A-Z][A-Z0-9_]*)=(\S+)/g)].map((m) => [m[1], m[2]]),
  );
}

/** Options of {@link runSnippet} and {@link watchSnippet}. */
export interface RunOptions {
  /** Where Runnel is, in place of {@link SHOWN_URL}. */
  readonly url: string;
  /** Added to the environment. @default {} */
  readonly env?: Readonly<Record<string, string>>;
}

// what curl is answered with an error must fail the block
const CURL = 'set -euo pipefail; curl() { command curl -sS --fail-with-body "$@"; }\n';
const TIMEOUT_MS = 60_000;

/** Runs a block to its end. @returns what it wrote. @throws {Error} where it fails. */
export async function runSnippet(snippet: Snippet, options: RunOptions): Promise<string> {
  return await withProcess(snippet, options, async ({ status, output }) => {
    const { code } = await deadline(status, TIMEOUT_MS, `the end of ${snippet.text}`);
    if (code !== 0) throw new Error(`Ended with ${code}: ${snippet.text}\n${await output()}`);
    return await output();
  });
}

/** Runs a block that never ends, until it wrote what is wanted; `nudge` is called again and again meanwhile. */
export async function watchSnippet(
  snippet: Snippet,
  options: RunOptions & { readonly wanted: RegExp; readonly nudge: () => Promise<unknown> },
): Promise<void> {
  await withProcess(snippet, options, async ({ output }) => {
    await until(async () => {
      await options.nudge();
      const written = await output();
      if (!options.wanted.test(written)) throw new Error(`It wrote: ${written}`);
      return true;
    }, { timeoutMs: TIMEOUT_MS, everyMs: 200, what: `${options.wanted} from ${snippet.text}` });
  });
}

interface Running {
  readonly status: Promise<Deno.CommandStatus>;
  /** What it wrote so far, to stdout and then to stderr. */
  output(): Promise<string>;
}

async function withProcess<T>(
  { language, text }: Snippet,
  { url, env = {} }: RunOptions,
  use: (running: Running) => Promise<T>,
): Promise<T> {
  const dir = await Deno.makeTempDir({ prefix: "runnel-snippet-" });
  const here = text.replaceAll(SHOWN_URL, url);
  const [command = "", ...args] = await commandOf(language, here, dir);
  const [stdout, stderr] = [`${dir}/stdout`, `${dir}/stderr`];
  try {
    await using child = spawnGuarded({
      ...{ command, args, cwd: ROOT, stdout, stderr, unset: INHERITED },
      env: { NO_COLOR: "1", ...env },
    });
    return await use({
      status: child.status,
      output: async () => await readText(stdout) + await readText(stderr),
    });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function commandOf(language: string, text: string, dir: string): Promise<string[]> {
  switch (language) {
    case "sh":
      // a stream is ended by a signal, which must reach curl itself
      return ["bash", "-c", text.startsWith("curl -N") ? `exec ${text}` : CURL + text];
    case "js": {
      const file = `${dir}/snippet.js`;
      await Deno.writeTextFile(file, `${EVENT_SOURCE}${text}`);
      const flags = [
        "--no-prompt",
        "--no-lock",
        "--allow-net",
        "--allow-env",
        `--config=${ROOT}deno.json`,
      ];
      return [Deno.execPath(), "run", "--quiet", ...flags, file];
    }
    case "python":
      // its thread goes on for as long as the program does
      return ["python3", "-u", "-c", `${text}\nthreading.Event().wait()\n`];
    default:
      throw new RangeError(`Cannot run ${language}`);
  }
}

const EVENT_SOURCE =
  'import { EventSource } from "eventsource";\nglobalThis.EventSource = EventSource;\n';

async function readText(path: string): Promise<string> {
  return await Deno.readTextFile(path).catch(() => "");
}
