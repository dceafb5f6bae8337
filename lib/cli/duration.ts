import { CliError } from "./cli_error.ts";

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/**
 * Reads a duration such as `500ms`, `30s`, `10m`, `2h` or `1d`, in milliseconds; undefined where none is given.
 *
 * @throws {CliError} where it is none.
 */
export function durationMs(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  const unit = UNITS[match?.[2] ?? ""];
  if (match !== null && unit !== undefined) return Number(match[1]) * unit;
  throw new CliError(
    `Cannot use --${option} ${text}: it takes a duration such as 500ms, 30s or 10m`,
    {
      exitCode: 2,
    },
  );
}
