import { URL_OPTION } from "../api.ts";
import { CliError } from "../cli_error.ts";
import type { Command } from "../command.ts";
import { WORK_OPTIONS, workThrough } from "../work_session.ts";

/** `deno task work`: runs a command for each message of a group. */
export const work: Command = {
  name: "work",
  usage: "work <topic> --group <g> [-- <command...>]",
  summary: "Runs a command for each message of a group: exit 0 acknowledges it",
  details: `
The payload is the command's standard input; RUNNEL_MESSAGE_ID, _TOPIC, _TIME, _TYPE, _KEY, _DELIVERIES and _REPLY_TO
tell the rest. Any other exit code gives the message back. Without a command, messages are printed and acknowledged.
Ctrl-C lets running commands end, a second one kills them.`,
  examples: [
    "deno task work jobs --group mailers -- sh -c 'cat; echo \" done\"'",
    "deno task work jobs --group mailers --concurrency 4 --lease 2m -- ./mail.sh",
    "deno task work jobs --group look --no-wait --json  # takes what there is, a message a line",
  ],
  options: {
    group: { value: "<name>", help: "The group that shares the work" },
    ...WORK_OPTIONS,
    reply: { help: "Send what the command prints as the reply, where one is wanted" },
    url: URL_OPTION,
  },
  positionals: { least: 1, most: 1_000 },
  async run(input, terminal) {
    const group = input.text("group");
    if (group === undefined) {
      throw new CliError("Something is missing: --group names who shares the work", {
        exitCode: 2,
        advice: [`Usage: deno task ${work.usage}`],
      });
    }
    return await workThrough(input, terminal, { group, reply: input.has("reply") });
  },
};
