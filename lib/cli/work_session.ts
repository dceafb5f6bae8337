import { parseJsonText } from "../codec/json.ts";
import { Api } from "./api.ts";
import { CliError } from "./cli_error.ts";
import type { CommandInput, CommandOption } from "./command.ts";
import { durationMs } from "./duration.ts";
import { runForMessage } from "./message_command.ts";
import { messageLine } from "./message_line.ts";
import { printable } from "./printable.ts";
import { StopSignals } from "./stop_signals.ts";
import type { Terminal } from "./terminal.ts";
import { Worker, type WorkMessage } from "./worker.ts";

/** The options of every command that works through a group. */
export const WORK_OPTIONS: Readonly<Record<string, CommandOption>> = {
  consumer: { value: "<name>", help: "Name of this consumer (one of its own)" },
  concurrency: { value: "<n>", help: "Messages that are worked on at the same time (1)" },
  lease: {
    value: "<time>",
    help: "How long a message is held at a time, while it is worked on (30s)",
  },
  "retry-delay": {
    value: "<time>",
    help: "When a message that failed comes back (1s, twice as much each time, 1m at the most)",
  },
  since: { value: "<where>", help: "Where the group starts if it is new (latest)" },
  limit: { value: "<n>", help: "End after this many messages" },
  "no-wait": { help: "End when there is nothing to do" },
  json: {
    help:
      "Print JSON lines: each message, or what the command made of it ({ id, topic, deliveries,\n" +
      "ok, output }), and at the end { done, givenBack }",
  },
};

const MAX_RETRY_MS = 60_000;

/** Works through a group as the options say, and resolves to the exit code. */
export async function workThrough(
  input: CommandInput,
  terminal: Terminal,
  { group, reply }: { readonly group: string; readonly reply: boolean },
): Promise<number> {
  const [topic = "", ...command] = input.positionals;
  const api = new Api(input.text("url"));
  const retryMs = durationMs(input.text("retry-delay"), "retry-delay");
  const json = input.has("json");
  const insisted = new AbortController();
  using signals = new StopSignals(() => insisted.abort());
  const worker = new Worker({
    api,
    topic,
    group,
    consumer: input.text("consumer") ?? `cli-${crypto.randomUUID()}`,
    concurrency: input.number("concurrency", 1) ?? 1,
    leaseMs: durationMs(input.text("lease"), "lease") ?? 30_000,
    since: input.text("since"),
    limit: input.number("limit", 1),
    wait: !input.has("no-wait"),
    retryDelayMs: (deliveries) =>
      retryMs ?? Math.min(1_000 * 2 ** Math.min(deliveries - 1, 10), MAX_RETRY_MS),
    handle: (message) =>
      handle(message, { api, command, reply, terminal, kill: insisted.signal, json }),
    onTrouble: (text) => terminal.err(terminal.style("yellow", printable(text))),
  });
  const { done, givenBack } = await worker.run(signals.signal);
  if (json) terminal.out(JSON.stringify({ done, givenBack }));
  else terminal.err(terminal.style("dim", `${done} done, ${givenBack} given back`));
  return 0;
}

interface Handling {
  readonly api: Api;
  readonly command: readonly string[];
  readonly reply: boolean;
  readonly terminal: Terminal;
  readonly kill: AbortSignal;
  readonly json: boolean;
}

async function handle(message: WorkMessage, handling: Handling): Promise<boolean> {
  const { api, command, reply, terminal, kill, json } = handling;
  if (command.length === 0) {
    terminal.out(json ? printable(JSON.stringify(message)) : messageLine(message, terminal));
    return true;
  }
  const answers = reply && message.replyTo !== undefined;
  // what the command prints must not stand between our lines of JSON
  const capture = answers || json;
  const { ok, output } = await runForMessage(message, { command, capture, kill });
  if (json) terminal.out(outcomeJson(message, { ok, output }));
  if (!ok) {
    terminal.err(terminal.style("yellow", `${message.id} failed, delivery ${message.deliveries}`));
  }
  if (ok && answers) await answer(api, { message, output, terminal });
  return ok;
}

async function answer(
  api: Api,
  { message, output, terminal }: {
    message: WorkMessage;
    output: Uint8Array;
    terminal: Terminal;
  },
): Promise<void> {
  const response = await api.attempt("reply", {
    method: "POST",
    headers: { "content-type": "application/json" },
    // the same delivery worked on twice must not answer twice
    body: JSON.stringify({
      replyTo: message.replyTo,
      idempotencyKey: message.id,
      ...payload(output),
    }),
  });
  await response.body?.cancel();
  if (response.status === 410) return terminal.err(`${message.id}: nobody waits for it any more`);
  if (!response.ok) {
    throw new CliError(`The reply to ${message.id} was refused: ${response.status}`);
  }
}

function outcomeJson(
  { id, topic, deliveries }: WorkMessage,
  { ok, output }: { ok: boolean; output: Uint8Array },
): string {
  const said = payload(output);
  const shown = "data" in said ? { output: said.data } : { outputBase64: said.dataBase64 };
  return printable(JSON.stringify({ id, topic, deliveries, ok, ...shown }));
}

function payload(output: Uint8Array): { data: unknown } | { dataBase64: string } {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(output).replace(/\r?\n$/, "");
    return { data: jsonOr(text) };
  } catch {
    return { dataBase64: output.toBase64() };
  }
}

function jsonOr(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return text;
  }
}
