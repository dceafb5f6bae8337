import { parseJsonText } from "../../codec/json.ts";
import { Api, URL_OPTION } from "../api.ts";
import { type BatchResult, uploadBatch } from "../batch_upload.ts";
import { CliError } from "../cli_error.ts";
import type { Command, CommandInput } from "../command.ts";
import { printable } from "../printable.ts";
import { count, ProgressBar, size } from "../progress.ts";
import type { Terminal } from "../terminal.ts";

const SHOWN_REJECTIONS = 20;

/** `deno task batch`: publishes every line of a file. */
export const batch: Command = {
  name: "batch",
  usage: "batch <topic> <file|->",
  summary: "Publishes every line of a file or of stdin, and shows the progress",
  details: `
Each line is the data of one message, as JSON. Blank lines are skipped; a line that is refused is reported with its
number and the others are stored, in order. The exit code is 1 where any was refused.`,
  examples: [
    "deno task batch topic1 messages.ndjson",
    "jq -c '.[]' orders.json | deno task batch orders -",
    "deno task batch log access.log --text --idempotency-prefix access-2026-01",
    "deno task batch topic1 messages.ndjson --json | jq .rejected",
  ],
  options: {
    text: { help: "Lines are plain text: each becomes a string" },
    messages: {
      help: "Lines are whole messages, as POST /publish takes them; their topic may be left out",
    },
    "idempotency-prefix": {
      value: "<name>",
      help: "Give line n the idempotency key <name>-n: the same file can be sent again safely",
    },
    json: {
      help:
        "Print JSON: { accepted, rejected, bytes, ms }, and before it a line for each refused one",
    },
    url: URL_OPTION,
  },
  positionals: { least: 2, most: 2 },
  async run(input, terminal) {
    const api = new Api(input.text("url"));
    const [topic = "", path = ""] = input.positionals;
    const source = await openSource(path);
    const report = new Report({ terminal, totalBytes: source.bytes, json: input.has("json") });
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
  readonly #json: boolean;
  readonly #bar: ProgressBar;
  readonly #startedAt = performance.now();
  #bytes = 0;
  #accepted = 0;
  #rejected = 0;

  constructor(
    { terminal, totalBytes, json }: {
      readonly terminal: Terminal;
      readonly totalBytes: number | undefined;
      readonly json: boolean;
    },
  ) {
    this.#terminal = terminal;
    this.#json = json;
    this.#bar = new ProgressBar(terminal, totalBytes);
  }

  answered({ line, bytes, error }: BatchResult): void {
    this.#bytes = bytes;
    if (error === undefined) this.#accepted++;
    else this.#reject(line, error);
    this.#bar.update(this.#bytes, this.#accepted + this.#rejected);
  }

  end(): void {
    this.#bar.end();
    const ms = performance.now() - this.#startedAt;
    if (this.#json) {
      const [accepted, rejected] = [this.#accepted, this.#rejected];
      const totals = { accepted, rejected, bytes: this.#bytes, ms: Math.round(ms) };
      return this.#terminal.out(JSON.stringify(totals));
    }
    const seconds = ms / 1_000;
    const rate = count(this.#accepted / Math.max(seconds, 0.001));
    const took = `${size(this.#bytes)} in ${seconds.toFixed(1)} s, ${rate} messages/s`;
    const refused = this.#rejected === 0 ? "" : `, ${count(this.#rejected)} refused`;
    this.#terminal.out(`${count(this.#accepted)} stored${refused} (${took})`);
  }

  clear(): void {
    this.#bar.end();
  }

  #reject(line: number, error: NonNullable<BatchResult["error"]>): void {
    this.#rejected++;
    const { out, err, style } = this.#terminal;
    if (this.#json) return out(printable(JSON.stringify({ line, error })));
    const reason = printable(error.detail ?? error.code ?? "refused");
    if (this.#rejected <= SHOWN_REJECTIONS) err(`${style("red", `line ${line}:`)} ${reason}`);
    if (this.#rejected === SHOWN_REJECTIONS) err("Further lines that are refused are only counted");
  }
}
