import { parseJsonText } from "../../codec/json.ts";
import { Api, URL_OPTION } from "../api.ts";
import { type BatchResult, uploadBatch } from "../batch_upload.ts";
import { CliError } from "../cli_error.ts";
import type { Command, CommandInput } from "../command.ts";
import { count, ProgressBar, size } from "../progress.ts";
import type { Terminal } from "../terminal.ts";

const SHOWN_REJECTIONS = 20;

/** `deno task batch`: publishes every line of a file. */
export const batch: Command = {
  name: "batch",
  usage: "batch <topic> <file|->",
  summary: "Publishes every line of a file or of stdin, however long, while showing the progress",
  details: `
Each line is the data of one message, as JSON. Blank lines are skipped; a line that is refused is reported with its
number and the others are stored, in order. The exit code is 1 where any was refused.`,
  options: {
    text: { help: "Lines are plain text: each becomes a string" },
    messages: {
      help: "Lines are whole messages, as POST /publish takes them; their topic may be left out",
    },
    "idempotency-prefix": {
      value: "<name>",
      help: "Give line n the idempotency key <name>-n: the same file can be sent again safely",
    },
    url: URL_OPTION,
  },
  positionals: { least: 2, most: 2 },
  async run(input, terminal) {
    const api = new Api(input.text("url"));
    const [topic = "", path = ""] = input.positionals;
    const source = await openSource(path);
    const report = new Report(terminal, source.bytes);
    const encode = encoder(topic, input);
    try {
      const totals = await uploadBatch(api, source.stream, {
        encode,
        onResult: (result) => report.answered(result),
      });
      report.end();
      return totals.rejected > 0 ? 1 : 0;
    } finally {
      report.clear();
    }
  },
};

interface Source {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Undefined where the length is not known before the end. */
  readonly bytes: number | undefined;
}

async function openSource(path: string): Promise<Source> {
  // a file that Deno opens under -A alone
  if (path === "-" || path === "/dev/stdin") {
    return { stream: Deno.stdin.readable, bytes: undefined };
  }
  try {
    const { size, isFile, isDirectory } = await Deno.stat(path);
    if (isDirectory) throw new Error("it is a folder");
    const { readable } = await Deno.open(path);
    return { stream: readable, bytes: isFile ? size : undefined };
  } catch (error) {
    const missing = error instanceof Deno.errors.NotFound;
    const reason = missing
      ? "there is no such file"
      : error instanceof Error
      ? error.message
      : error;
    throw new CliError(`Cannot read ${path}: ${reason}`, { cause: error });
  }
}

function encoder(topic: string, input: CommandInput) {
  const prefix = input.text("idempotency-prefix");
  const topicField = `"topic":${JSON.stringify(topic)}`;
  const decoder = new TextDecoder();
  return (bytes: Uint8Array, number: number): string => {
    const text = decoder.decode(bytes);
    const key = prefix === undefined
      ? ""
      : `,"idempotencyKey":${JSON.stringify(`${prefix}-${number}`)}`;
    if (input.has("text")) return `{${topicField}${key},"data":${JSON.stringify(text)}}`;
    const value = parse(text);
    // What is no JSON goes up as it is: the server refuses it in its place, and the order of answers stays.
    if (value === undefined) return text;
    if (!input.has("messages")) return `{${topicField}${key},"data":${text}}`;
    if (!text.trimStart().startsWith("{")) return text;
    return JSON.stringify({ ...JSON.parse(`{${topicField}${key}}`), ...value });
  };
}

function parse(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return undefined;
  }
}

/** Counts what happens, and tells it. */
class Report {
  readonly #terminal: Terminal;
  readonly #bar: ProgressBar;
  readonly #startedAt = performance.now();
  #bytes = 0;
  #accepted = 0;
  #rejected = 0;

  constructor(terminal: Terminal, totalBytes: number | undefined) {
    this.#terminal = terminal;
    this.#bar = new ProgressBar(terminal, totalBytes);
  }

  answered({ line, bytes, error }: BatchResult): void {
    this.#bytes = bytes;
    if (error === undefined) this.#accepted++;
    else this.#reject(line, error.detail ?? error.code ?? "refused");
    this.#bar.update(this.#bytes, this.#accepted + this.#rejected);
  }

  end(): void {
    this.#bar.end();
    const seconds = (performance.now() - this.#startedAt) / 1_000;
    const rate = count(this.#accepted / Math.max(seconds, 0.001));
    const took = `${size(this.#bytes)} in ${seconds.toFixed(1)} s, ${rate} messages/s`;
    const refused = this.#rejected === 0 ? "" : `, ${count(this.#rejected)} refused`;
    this.#terminal.out(`${count(this.#accepted)} stored${refused} (${took})`);
  }

  clear(): void {
    this.#bar.end();
  }

  #reject(line: number, reason: string): void {
    this.#rejected++;
    const { err, style } = this.#terminal;
    if (this.#rejected <= SHOWN_REJECTIONS) err(`${style("red", `line ${line}:`)} ${reason}`);
    if (this.#rejected === SHOWN_REJECTIONS) err("Further lines that are refused are only counted");
  }
}
