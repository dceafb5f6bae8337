import { parseJsonText } from "../../codec/json.ts";
import { Api, problemOf, segment, URL_OPTION } from "../api.ts";
import { CliError } from "../cli_error.ts";
import type { Command, CommandInput } from "../command.ts";
import { messageLine, type ShownMessage } from "../message_line.ts";
import { printable, printableLines } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

/** `deno task dead`: dead letters of a topic. */
export const dead: Command = {
  name: "dead",
  usage: "dead list|show|redrive <topic> [ids...]",
  summary: "Lists, shows and gives back the dead letters of a topic",
  details: `
A dead letter is a message whose deliveries ran out; it stands in the topic $dead.<topic>.
dead redrive takes ids, or --all for every one that is still open.`,
  examples: [
    "deno task dead list jobs",
    "deno task dead show jobs 1754040000000-65536",
    "deno task dead redrive jobs --all --group mailers",
    "deno task dead list jobs --json | jq -r .id",
  ],
  options: {
    group: { value: "<name>", help: "redrive: only those of this group" },
    all: { help: "redrive: all that there are now" },
    last: { value: "<n>", help: "list: how many (20)" },
    json: { help: "Print JSON: a message a line, or the server's answer" },
    url: URL_OPTION,
  },
  positionals: { least: 2, most: 1_002 },
  async run(input, terminal) {
    const [what = "", topic = "", ...ids] = input.positionals;
    const scene = { api: new Api(input.text("url")), topic, ids, input, terminal };
    if (what === "list" && ids.length === 0) await list(scene);
    else if (what === "show" && ids.length === 1) await show(scene);
    else if (what === "redrive" && (ids.length > 0) !== input.has("all")) await redrive(scene);
    else throw wrongCall();
    return 0;
  },
};

interface Scene {
  readonly api: Api;
  readonly topic: string;
  readonly ids: readonly string[];
  readonly input: CommandInput;
  readonly terminal: Terminal;
}

interface DeadLetter extends ShownMessage {
  readonly headers?: Readonly<Record<string, string>>;
}

async function list(scene: Scene): Promise<void> {
  const { input, terminal } = scene;
  const last = input.number("last", 1) ?? 20;
  const messages = await read(scene, [["limit", `${last}`], ["order", "desc"]]);
  if (messages.length === 0) terminal.err("There are no dead letters");
  for (const message of messages.reverse()) {
    if (input.has("json")) terminal.out(printable(JSON.stringify(message)));
    else terminal.out(`${messageLine(message, terminal)}  ${terminal.style("red", fate(message))}`);
  }
}

async function show(scene: Scene): Promise<void> {
  const { ids: [id = ""], input, terminal } = scene;
  const [ms, seq] = id.split("-").map(Number);
  const before = `${ms}-${(seq ?? 0) - 1}`;
  const [message] = await read(scene, [["after", before], ["limit", "1"]]);
  if (message?.id !== id) throw new CliError(`There is no dead letter ${id}`);
  if (input.has("json")) terminal.out(printable(JSON.stringify(message)));
  else terminal.out(printableLines(JSON.stringify(message, undefined, 2)));
}

async function redrive({ api, topic, ids, input, terminal }: Scene): Promise<void> {
  const group = input.text("group");
  const response = await api.send(`topics/${segment(topic)}/redrive`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      ...(ids.length === 0 ? {} : { ids }),
      ...(group === undefined ? {} : { group }),
    }),
  });
  const answer = await response.json();
  if (input.has("json")) return terminal.out(JSON.stringify(answer));
  const { redriven, unknown } = answer;
  terminal.out(`${redriven} given back to ${group ?? "their groups"}`);
  for (const id of unknown) terminal.err(`${id} is no open dead letter`);
}

async function read(
  { api, topic }: Scene,
  query: readonly (readonly [string, string])[],
): Promise<DeadLetter[]> {
  const path = `topics/${segment(`$dead.${topic}`)}/messages`;
  const response = await api.attempt(path, { query });
  if (response.status === 404) {
    await response.body?.cancel();
    return [];
  }
  if (!response.ok) throw await problemOf(response);
  // with numbers as they were written
  const { messages } = parseJsonText(await response.text()) as { messages: DeadLetter[] };
  return messages;
}

function fate({ headers = {} }: DeadLetter): string {
  const { "dead-group": group, "dead-deliveries": deliveries, "dead-reason": reason } = headers;
  return printable(`${group}: ${deliveries} deliveries, ${reason}`);
}

function wrongCall(): CliError {
  return new CliError("Cannot make sense of this", {
    exitCode: 2,
    advice: [
      "deno task dead list <topic>",
      "deno task dead show <topic> <id>",
      "deno task dead redrive <topic> <ids...>, or --all",
    ],
  });
}
