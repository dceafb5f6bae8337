import { parseArgs } from "node:util";
import { CliError } from "./cli_error.ts";
import { nearest } from "./nearest.ts";
import type { Terminal } from "./terminal.ts";

/** One option of a command, as its help shows it. */
export interface CommandOption {
  readonly help: string;
  /** What its value is called in the help, such as `<n>`; without it the option is a switch. */
  readonly value?: string;
}

/** What a command was called with. */
export interface CommandInput {
  /** What stands on the line besides options. */
  readonly positionals: readonly string[];
  /** The value of an option that takes one; undefined where it is not given. */
  text(name: string): string | undefined;
  /**
   * The value of an option that takes a number; undefined where it is not given.
   *
   * @throws {CliError} when it is not a whole number of at least `least`.
   */
  number(name: string, least?: number): number | undefined;
  /** Whether a switch is given. */
  has(name: string): boolean;
}

/** One thing that `deno task` can do. */
export interface Command {
  readonly name: string;
  /** What stands after `deno task`, such as `publish <topic> <data|->`. */
  readonly usage: string;
  /** One sentence, without a final period. */
  readonly summary: string;
  /** More paragraphs of the help. @default "" */
  readonly details?: string;
  /** Calls that do something useful, as they are typed; behind two spaces and a `#`, what each does. */
  readonly examples: readonly string[];
  readonly options: Readonly<Record<string, CommandOption>>;
  /** How many positionals it takes. */
  readonly positionals: { readonly least: number; readonly most: number };
  /** Hands all arguments on as positionals, options too. @default false */
  readonly passesOn?: boolean;
  /**
   * Does it, and resolves to the exit code.
   *
   * @throws {CliError} for what the user should read.
   */
  run(input: CommandInput, terminal: Terminal): Promise<number>;
}

/**
 * Reads a command's arguments.
 *
 * @throws {CliError} with exit code 2 for an unknown option, a missing value, or too few or too many positionals.
 */
export function parseInput(command: Command, args: readonly string[]): CommandInput {
  const { values, positionals } = command.passesOn
    ? { values: {}, positionals: [...args] }
    : parse(command, args);
  const { least, most } = command.positionals;
  if (positionals.length < least) throw wrongCall(command, "Something is missing");
  if (positionals.length > most) {
    throw wrongCall(command, `Cannot make sense of "${positionals[most]}"`);
  }
  return input(command, { values, positionals });
}

type Values = Record<string, string | boolean | undefined>;

function parse(command: Command, args: readonly string[]) {
  const options: Record<string, { type: "string" | "boolean" }> = {};
  for (const [name, { value }] of Object.entries(command.options)) {
    options[name] = { type: value === undefined ? "boolean" : "string" };
  }
  assertKnownOptions(command, args);
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw wrongCall(command, error instanceof Error ? error.message.split(". ")[0]! : `${error}`);
  }
}

function input(
  command: Command,
  { values, positionals }: { values: Values; positionals: string[] },
): CommandInput {
  const text = (name: string) => {
    const value = values[name];
    return typeof value === "string" ? value : undefined;
  };
  return {
    positionals,
    text,
    has: (name) => values[name] === true,
    number(name, least = 0) {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
      if (number >= least) return number;
      throw wrongCall(command, `Cannot use --${name} ${value}: it takes a number from ${least} up`);
    },
  };
}

// Before parseArgs does: it knows no name that was probably meant.
function assertKnownOptions(command: Command, args: readonly string[]): void {
  const end = args.indexOf("--");
  for (const arg of end === -1 ? args : args.slice(0, end)) {
    const name = /^--([^=]+)/.exec(arg)?.[1];
    if (name === undefined || Object.hasOwn(command.options, name)) continue;
    const meant = nearest(name, [...Object.keys(command.options), "help"]);
    const guess = meant === undefined ? "" : `: is --${meant} meant?`;
    throw wrongCall(command, `Cannot find an option --${name}${guess}`);
  }
}

/** The error for a command that was called in a wrong way: it shows the usage. */
function wrongCall(command: Command, problem: string): CliError {
  return new CliError(problem, {
    exitCode: 2,
    advice: [`Usage: deno task ${command.usage}`, `Help:  deno task ${command.name} --help`],
  });
}
