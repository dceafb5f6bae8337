import { URL_OPTION } from "../api.ts";
import type { Command } from "../command.ts";
import { WORK_OPTIONS, workThrough } from "../work_session.ts";

/** `deno task reply`: answers requests with what a command prints. */
export const reply: Command = {
  name: "reply",
  usage: "reply <topic> -- <command...>",
  summary: "Answers each request on a topic with what a command prints",
  details: `
The request's payload is the command's standard input. Those who reply share the requests as a group; start several to
answer more at a time.`,
  examples: [
    "deno task reply greet -- sh -c 'echo \"Hello, $(cat)\"'",
    "deno task reply sums -- jq add  # JSON in, JSON out",
    "deno task reply greet --concurrency 8 --json -- ./answer.sh",
  ],
  options: {
    group: { value: "<name>", help: "The group that shares the requests (repliers)" },
    ...WORK_OPTIONS,
    url: URL_OPTION,
  },
  positionals: { least: 2, most: 1_000 },
  async run(input, terminal) {
    const group = input.text("group") ?? "repliers";
    return await workThrough(input, terminal, { group, reply: true });
  },
};
