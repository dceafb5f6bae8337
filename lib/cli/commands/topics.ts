import { parseJsonText } from "../../codec/json.ts";
import { Api, segment, URL_OPTION } from "../api.ts";
import type { Command, CommandInput } from "../command.ts";
import { messageLine, type ShownMessage } from "../message_line.ts";
import { printable } from "../printable.ts";
import { messageCount } from "../progress.ts";
import type { Terminal } from "../terminal.ts";

/** `deno task topics`: what topics there are, and what is in one. */
export const topics: Command = {
  name: "topics",
  usage: "topics [topic]",
  summary: "Lists the topics, or says what is in one",
  examples: [
    "deno task topics --prefix orders.",
    "deno task topics orders.eu --last 10",
    "deno task topics --json | jq -r .topic  # a topic a line",
  ],
  options: {
    prefix: { value: "<text>", help: "Only topics that begin so" },
    last: { value: "<n>", help: "With a topic: also its last n messages" },
    json: { help: "Print JSON, a topic or a message a line" },
    url: URL_OPTION,
  },
  positionals: { least: 0, most: 1 },
  async run(input, terminal) {
    const api = new Api(input.text("url"));
    const [topic] = input.positionals;
    if (topic === undefined) await list(api, { input, terminal });
    else await describe(api, { topic, input, terminal });
    return 0;
  },
};

interface Output {
  readonly input: CommandInput;
  readonly terminal: Terminal;
}

interface TopicInfo {
  readonly topic: string;
  /** Messages that were ever stored in it. */
  readonly count: number;
  readonly lastId: string | null;
}

async function list(api: Api, { input, terminal }: Output): Promise<void> {
  let found = 0;
  for await (const page of pages(api, input.text("prefix"))) {
    for (const info of page) {
      terminal.out(input.has("json") ? printable(JSON.stringify(info)) : row(info, terminal));
    }
    found += page.length;
  }
  if (found > 0) return;
  const prefix = input.text("prefix");
  terminal.err(
    prefix === undefined
      ? "There are no topics yet: deno task publish topic1 Hello"
      : `There are no topics that begin with ${printable(prefix)}`,
  );
}

async function* pages(api: Api, prefix: string | undefined): AsyncGenerator<TopicInfo[]> {
  const filter = prefix === undefined ? [] : [["prefix", prefix] as const];
  for (let after: string | undefined, more = true; more; more = after !== undefined) {
    const query = [...filter, ...(after === undefined ? [] : [["after", after] as const])];
    const page = await (await api.send("topics", { query })).json();
    yield page.topics;
    after = page.next;
  }
}

function row({ topic, count: stored, lastId }: TopicInfo, { style }: Terminal): string {
  const figures = [
    `${messageCount(stored)} so far`,
    ...(lastId === null ? [] : [`last ${lastId}`]),
  ];
  return `${style("cyan", printable(topic))}  ${style("dim", figures.join(", "))}`;
}

async function describe(api: Api, { topic, input, terminal }: Output & { topic: string }) {
  const path = `topics/${segment(topic)}`;
  const last = input.number("last", 1);
  const info = await (await api.send(path)).json();
  if (input.has("json")) terminal.out(printable(JSON.stringify(info)));
  else for (const line of lines(info)) terminal.out(line);
  if (last === undefined) return;
  const query = [["limit", `${last}`], ["order", "desc"]] as const;
  const text = await (await api.send(`${path}/messages`, { query })).text();
  // with numbers as they were written
  const { messages } = parseJsonText(text) as { messages: ShownMessage[] };
  for (const message of messages.reverse()) {
    const json = input.has("json");
    terminal.out(json ? printable(JSON.stringify(message)) : messageLine(message, terminal));
  }
}

function lines({ groups = [], ...info }: Record<string, unknown>): string[] {
  const facts = Object.entries(info).map(([name, value]) => {
    const shown = typeof value === "string" ? value : JSON.stringify(value);
    return `${name.padEnd(12)} ${printable(shown)}`;
  });
  return [...facts, ...(Array.isArray(groups) ? groups.map(groupLine) : [])];
}

function groupLine(group: Record<string, unknown>): string {
  const { group: name, topic, lag, pending, dead, consumers } = group;
  const count = Array.isArray(consumers) ? consumers.length : 0;
  const figures = `lag ${lag}, pending ${pending}, dead ${dead}, consumers ${count}`;
  return printable(`${"group".padEnd(12)} ${name} of ${topic}: ${figures}`);
}
