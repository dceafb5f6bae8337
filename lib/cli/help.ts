import type { Command } from "./command.ts";

/** The help of one command. */
export function commandHelp(command: Command): string {
  const options = Object.entries(command.options).map(([name, { value, help }]) => ({
    left: `--${name}${value === undefined ? "" : ` ${value}`}`,
    right: help,
  }));
  const parts = [
    `${command.summary}.`,
    `Usage: deno task ${command.usage}`,
    ...(command.details === undefined ? [] : [command.details.trim()]),
    ...(options.length === 0 ? [] : [`Options:\n${columns(options)}`]),
  ];
  return parts.join("\n\n");
}

/** The help of all commands together. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map((command) => ({ left: command.usage, right: command.summary }));
  return [
    "Runnel: durable topics over plain HTTP, on the Redis you run.",
    `Usage: deno task <command>\n\n${columns(rows)}`,
    "deno task <command> --help says more.",
  ].join("\n\n");
}

function columns(rows: readonly { left: string; right: string }[]): string {
  const width = Math.max(...rows.map(({ left }) => left.length)) + 2;
  const indent = " ".repeat(width + 2);
  return rows
    .map(({ left, right }) => `  ${left.padEnd(width)}${right.replaceAll("\n", `\n${indent}`)}`)
    .join("\n");
}
