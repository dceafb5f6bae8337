import { parseJsonText } from "../../codec/json.ts";
import { Api, URL_OPTION } from "../api.ts";
import type { Command, CommandInput } from "../command.ts";
import { type Query, readEvents, type StreamEvent } from "../event_stream.ts";
import { messageLine, screenLine, type ShownMessage } from "../message_line.ts";
import { printable, printableLines } from "../printable.ts";
import type { Terminal } from "../terminal.ts";

/** `deno task subscribe`: prints messages as they come. */
export const subscribe: Command = {
  name: "subscribe",
  usage: "subscribe <topic...>",
  summary: "Prints messages as they come, without a gap across disconnects",
  details: `
A pattern is a topic with wildcards: * for what is between . / and :, ** for anything. Quote it: 'orders.*'
Messages go to stdout, everything that is said about the stream to stderr. On a terminal a line says how long ago the
message came, by the server's clock, and shows 2,000 characters of it at the most; elsewhere it says the time, and
shows all of it. What would command the terminal (escape sequences) is shown, not obeyed.`,
  examples: [
    "deno task subscribe topic1 'orders.*'",
    "deno task subscribe topic1 --since 10m",
    "deno task subscribe 'orders.**' --since earliest --no-wait --json | jq .data",
    "deno task subscribe topic1 --limit 1 --data  # waits for one, and prints what it says",
  ],
  options: {
    since: {
      value: "<where>",
      help:
        "Where to start: latest (default), earliest, last:<n>, a time, a duration such as 10m,\n" +
        "or a cursor",
    },
    limit: { value: "<n>", help: "End after this many messages" },
    "no-wait": { help: "End when there is nothing more to read" },
    json: { help: "Print each message as one line of JSON" },
    data: { help: "Print the data alone" },
    url: URL_OPTION,
  },
  positionals: { least: 1, most: 1_000 },
  async run(input, terminal) {
    const printer = new Printer(input, terminal);
    const events = readEvents(new Api(input.text("url")), {
      onOpen: (headers) => printer.setClock(headers),
      query: printer.firstQuery(),
      resume: () => printer.nextQuery(),
      onBreak: (reason, waitMs) =>
        terminal.err(
          printable(`${reason}: again in ${(waitMs / 1000).toFixed(1)} s from where it was`),
        ),
    });
    for await (const event of events) printer.print(event);
    return 0;
  },
};

// What a stream was asked for has been given; any other goodbye is a break.
const COMPLETE: ReadonlySet<unknown> = new Set(["limit", "caught_up"]);

/** Prints events, and knows what is left to ask for. */
class Printer {
  readonly #input: CommandInput;
  readonly #terminal: Terminal;
  readonly #limit: number | undefined;
  #printed = 0;
  /** How far the server's clock is ahead of ours, in milliseconds. */
  #aheadMs = 0;
  #complete = false;

  constructor(input: CommandInput, terminal: Terminal) {
    this.#input = input;
    this.#terminal = terminal;
    this.#limit = input.number("limit", 1);
  }

  /** Takes the server's clock from an answer of it. */
  setClock(headers: Headers): void {
    const ahead = Date.parse(headers.get("date") ?? "") - Date.now();
    // the header has no more than seconds in it
    this.#aheadMs = Math.abs(ahead) > 2_000 ? ahead : 0;
  }

  firstQuery(): Query {
    const since = this.#input.text("since");
    return [...this.#query(), ...(since === undefined ? [] : [["since", since] as const])];
  }

  /** Undefined once the stream has given what was asked for. */
  nextQuery(): Query | undefined {
    if (this.#complete || this.#limit === this.#printed) return undefined;
    return this.#query();
  }

  print({ event, data }: StreamEvent): void {
    if (event?.startsWith("$")) return this.#printSystemEvent(event, JSON.parse(data));
    this.#printed++;
    const { out, screen } = this.#terminal;
    if (this.#input.has("json")) return out(screen ? printable(data) : data);
    // as the server sends them, with numbers as they were written
    const message = parseJsonText(data) as ShownMessage;
    if (!this.#input.has("data")) return out(this.#line(message));
    const payload = message.data ?? message.dataBase64 ?? null;
    const text = typeof payload === "string" ? payload : JSON.stringify(payload);
    out(screen ? printableLines(text) : text);
  }

  #line(message: ShownMessage): string {
    const terminal = this.#terminal;
    if (!terminal.screen) return messageLine(message, terminal);
    return screenLine(message, terminal, Date.now() + this.#aheadMs);
  }

  #query(): Query {
    const left = this.#limit === undefined
      ? []
      : [["limit", `${this.#limit - this.#printed}`] as const];
    return [
      ...this.#input.positionals.map((topic) => ["topic", topic] as const),
      ...left,
      ...(this.#input.has("no-wait") ? [["wait", "0"] as const] : []),
    ];
  }

  #printSystemEvent(event: string, fields: Record<string, unknown>): void {
    const { err, style } = this.#terminal;
    if (event === "$ready") return err(style("dim", `Subscribed; cursor ${fields.cursor}`));
    if (event === "$bye" && COMPLETE.has(fields.reason)) {
      this.#complete = true;
      return;
    }
    if (event === "$gap") {
      const { topic, after, before, reason } = fields;
      const gap =
        `Gap in ${topic}: what came after ${after} and before ${before} is gone (${reason})`;
      return err(style("yellow", printable(gap)));
    }
    const shown = Object.entries(fields).map(([name, value]) => `${name} ${value}`).join(", ");
    err(style("dim", printable(`${event}: ${shown}`)));
  }
}
