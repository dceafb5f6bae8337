import type { Command } from "./command.ts";
import { EXIT_CODES } from "./exit_code.ts";
import type { Terminal } from "./terminal.ts";

/** Commands that belong together. */
export interface CommandGroup {
  readonly title: string;
  readonly commands: readonly Pick<Command, "name" | "summary">[];
}

/** The help of one command. */
export function commandHelp(command: Command, { style }: Pick<Terminal, "style">): string {
  const options = Object.entries(command.options).map(([name, { value, help }]) => ({
    left: `--${name}${value === undefined ? "" : ` ${value}`}`,
    right: help,
  }));
  const { details, examples } = command;
  const parts = [
    `${command.summary}.`,
    `Usage: deno task ${command.usage}`,
    ...(details === undefined ? [] : [details.trim()]),
    ...(options.length === 0 ? [] : [`${style("bold", "Options:")}\n${columns(options)}`]),
    `${style("bold", "Examples:")}\n${examples.map((one) => `  ${one}`).join("\n")}`,
  ];
  return parts.join("\n\n");
}

/** The help of all commands together. */
export function overview(groups: readonly CommandGroup[], { style }: Pick<Terminal, "style">) {
  const width = widest(groups.flatMap(({ commands }) => commands.map(({ name }) => name)));
  const codes = EXIT_CODES.map(({ code, meaning }) => ({ left: `${code}`, right: meaning }));
  return [
    "Runnel: durable topics over plain HTTP, on the Redis you run.",
    "Usage: deno task <command> [options]",
    ...groups.map(({ title, commands }) => {
      const rows = commands.map(({ name, summary }) => ({ left: name, right: summary }));
      return `${style("bold", `${title}:`)}\n${columns(rows, width)}`;
    }),
    `${style("bold", "Exit codes:")}\n${columns(codes, width)}`,
    "deno task <command> --help says more, with examples; --json, where a command has it, is for\n" +
    "machines, errors too. NO_COLOR turns colours off, FORCE_COLOR turns them on.",
  ].join("\n\n");
}

function columns(
  rows: readonly { left: string; right: string }[],
  width = widest(rows.map(({ left }) => left)),
): string {
  const indent = " ".repeat(width + 4);
  return rows
    .map(({ left, right }) => {
      const text = right.replaceAll("\n", `\n${indent}`);
      return `  ${left.padEnd(width + 2)}${text}`.trimEnd();
    })
    .join("\n");
}

function widest(texts: readonly string[]): number {
  return Math.max(...texts.map(({ length }) => length));
}
