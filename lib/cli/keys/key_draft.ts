import { type ApiKey, apiKeySchema, type NewKey } from "../../codec/api_key.ts";
import { type Grants, TOPIC_ACTIONS, type TopicAction } from "../../codec/grants.ts";
import { CliError } from "../cli_error.ts";
import type { CommandInput } from "../command.ts";
import { durationMs } from "../duration.ts";

/** A hundred years. */
const LONGEST_MS = 36_500 * 24 * 3_600_000;

/**
 * What is kept of a new key, by the options of `keys create`.
 *
 * @throws {CliError} with exit code 2 and every option that cannot be used.
 */
export function draftKey(
  input: CommandInput,
  { made: { id, hash }, name, now }: {
    readonly made: NewKey;
    readonly name: string;
    readonly now: number;
  },
): ApiKey {
  const end = endOf(input, { option: "expires", now });
  const { data: key, error } = apiKeySchema.safeParse({
    id,
    name,
    hash,
    ...grantsOf(input),
    ...(end === undefined ? {} : { expiresAt: end }),
  });
  if (key !== undefined) return key;
  throw new CliError("Cannot make this key", {
    exitCode: 2,
    advice: error.issues.map(({ path: [field, index], message }) => {
      if (field === "name") return `"${name}": ${message}`;
      const pattern = listOf(input.text(`${String(field)}`))[Number(index)];
      return `--${String(field)}${pattern === undefined ? "" : ` "${pattern}"`}: ${message}`;
    }),
  });
}

/**
 * When an option's time is over that begins now, in milliseconds since 1970; undefined where it is not given.
 *
 * @throws {CliError} with exit code 2 where that is no time ahead, or more than a hundred years.
 */
export function endOf(
  input: CommandInput,
  { option, now }: { readonly option: "expires" | "grace"; readonly now: number },
): number | undefined {
  const text = input.text(option);
  const ms = durationMs(text, option);
  if (ms === undefined) return undefined;
  if (ms > 0 && ms <= LONGEST_MS) return now + ms;
  throw new CliError(
    `Cannot use --${option} ${text}: it takes more than 0 and 36500d at the most`,
    {
      exitCode: 2,
    },
  );
}

function grantsOf(input: CommandInput): Grants {
  const patterns = TOPIC_ACTIONS.flatMap((action): [TopicAction, string[]][] => {
    const text = input.text(action);
    return text === undefined ? [] : [[action, listOf(text)]];
  });
  if (patterns.length === 0 && !input.has("manage")) {
    throw new CliError("Cannot make a key that may do nothing", {
      exitCode: 2,
      advice: [
        "Say what it may do: --publish, --subscribe and --consume take topics and patterns, --manage takes none",
        'For example: deno task keys create shop --publish "orders.*" --subscribe "**"',
      ],
    });
  }
  const subject = patterns.find(([, names]) => names.some((name) => name.includes("{sub}")));
  if (subject !== undefined) {
    throw new CliError(`Cannot use {sub} in --${subject[0]}: only tokens have a subject`, {
      exitCode: 2,
    });
  }
  return { ...Object.fromEntries(patterns), ...(input.has("manage") ? { manage: true } : {}) };
}

function listOf(text: string | undefined): string[] {
  return text?.split(",").map((name) => name.trim()) ?? [];
}
