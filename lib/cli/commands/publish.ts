import { Api, segment, URL_OPTION } from "../api.ts";
import type { Command, CommandInput } from "../command.ts";
import { durationMs } from "../duration.ts";
import { readAll } from "../standard_input.ts";

/** `deno task publish`: stores one message. */
export const publish: Command = {
  name: "publish",
  usage: "publish <topic> <data|->",
  summary: "Publishes one message",
  details: `
The data may be JSON ('{"a":1}', 42, true); anything else is published as a string. With - it is read from stdin, where
bytes that are no text are published as binary. Data that begin with a dash: publish topic1 -- -5`,
  examples: [
    'deno task publish topic1 "Hello"',
    `deno task publish orders.eu '{"id":7}' --type created --idempotency-key order-7`,
    "date | deno task publish log -  # what stdin has",
    'deno task publish reminders "Tea" --delay 10m',
  ],
  options: {
    text: { help: "Publish the data as a string, even where it is JSON" },
    type: { value: "<name>", help: "Type of the message, the event name that a browser sees" },
    key: { value: "<key>", help: "Key of the message" },
    "idempotency-key": { value: "<key>", help: "Store it once, however often this is repeated" },
    durability: { value: "<how>", help: "stored (default), replicated or ephemeral" },
    replicas: { value: "<n>", help: "With replicated: how many replicas must have it (1)" },
    delay: { value: "<time>", help: "Publish it later, such as 10m from now" },
    at: { value: "<time>", help: "Publish it at a moment, such as 2030-01-01T08:00:00Z" },
    json: { help: "Print the server's answer as it is" },
    url: URL_OPTION,
  },
  positionals: { least: 2, most: 2 },
  async run(input, terminal) {
    const [topic = "", data = ""] = input.positionals;
    const bytes = data === "-" ? await readAll() : new TextEncoder().encode(data);
    const response = await new Api(input.text("url")).send(`publish/${segment(topic)}`, {
      method: "POST",
      query: messageQuery(input),
      headers: headers(bytes, input),
      body: bytes,
    });
    const answer = await response.text();
    terminal.out(input.has("json") ? answer : describe(answer));
    return 0;
  },
};

function messageQuery(input: CommandInput): [string, string][] {
  const delayMs = durationMs(input.text("delay"), "delay");
  return [
    ...["type", "key", "durability", "replicas", "at"].flatMap((name): [string, string][] => {
      const value = input.text(name);
      return value === undefined ? [] : [[name, value]];
    }),
    ...(delayMs === undefined ? [] : [["delayMs", `${delayMs}`] as [string, string]]),
  ];
}

function headers(bytes: Uint8Array<ArrayBuffer>, input: CommandInput): Record<string, string> {
  const idempotencyKey = input.text("idempotency-key");
  return {
    "content-type": contentType(bytes, input.has("text")),
    ...(idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey }),
  };
}

function contentType(bytes: Uint8Array<ArrayBuffer>, asText: boolean): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return !asText && isJson(text) ? "application/json" : "text/plain; charset=utf-8";
  } catch {
    return "application/octet-stream";
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function describe(answer: string): string {
  const { id, topic, duplicate, scheduled } = JSON.parse(answer);
  if (scheduled !== undefined) {
    return `Kept for ${topic} until ${scheduled.at}; DELETE /scheduled/${scheduled.token} cancels it`;
  }
  if (id === null) return `Sent to those who listen to ${topic} now`;
  return `Stored in ${topic} as ${id}${duplicate ? " (it was there already)" : ""}`;
}
