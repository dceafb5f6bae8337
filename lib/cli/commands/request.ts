import { parseJsonText } from "../../codec/json.ts";
import { Api, URL_OPTION } from "../api.ts";
import type { Command } from "../command.ts";
import { durationMs } from "../duration.ts";
import { printable, printableLines } from "../printable.ts";
import { readAll } from "../standard_input.ts";

/** `deno task request`: asks, and prints the answer. */
export const request: Command = {
  name: "request",
  usage: "request <topic> <data|->",
  summary: "Asks on a topic and prints the reply",
  details: `
The data may be JSON; anything else is sent as a string. With - it is read from stdin.`,
  examples: [
    "deno task request greet ada  # after: deno task reply greet -- sh -c 'echo \"Hello, $(cat)\"'",
    "deno task request sums '[1,2,3]' --timeout 2s --json",
    "deno task request who '\"?\"' --replies 3",
  ],
  options: {
    timeout: { value: "<time>", help: "How long to wait, such as 5s (30s)" },
    replies: { value: "<n>", help: "Wait for so many replies (1)" },
    json: { help: "Print the server's answer as it is" },
    url: URL_OPTION,
  },
  positionals: { least: 2, most: 2 },
  async run(input, terminal) {
    const [topic = "", given = ""] = input.positionals;
    const text = given === "-" ? new TextDecoder().decode(await readAll()) : given;
    const replies = input.number("replies", 1);
    const timeoutMs = durationMs(input.text("timeout"), "timeout");
    const response = await new Api(input.text("url")).send("request", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        topic,
        data: dataOf(text),
        ...(timeoutMs === undefined ? {} : { timeoutMs }),
        ...(replies === undefined ? {} : { replies }),
      }),
    });
    const answer = await response.text();
    if (input.has("json")) terminal.out(printable(answer));
    else {
      for (const line of payloadsOf(parseJsonText(answer) as Answer)) {
        terminal.out(terminal.screen ? printableLines(line) : line);
      }
    }
    return 0;
  },
};

function dataOf(text: string): unknown {
  try {
    return parseJsonText(text);
  } catch {
    return text;
  }
}

interface Reply {
  readonly data?: unknown;
  readonly dataBase64?: string;
}

type Answer = Reply & { readonly replies?: readonly Reply[] };

function payloadsOf(answer: Answer): string[] {
  return (answer.replies ?? [answer]).map(({ data, dataBase64 }) => {
    const payload = data ?? dataBase64 ?? null;
    return typeof payload === "string" ? payload : JSON.stringify(payload);
  });
}
