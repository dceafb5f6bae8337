import { printableLines } from "../printable.ts";
import type { Style, Terminal } from "../terminal.ts";

/** One thing that `doctor` found. */
export interface Finding {
  /** `ok` needs nothing, a `warning` costs a promise, a `failure` keeps Runnel from working. */
  readonly level: "ok" | "note" | "warning" | "failure";
  readonly text: string;
  /** What to do about it. */
  readonly advice?: string;
  /** Which server it is about, where it is about one. */
  readonly where?: string;
}

const MARKS: Readonly<Record<Finding["level"], readonly [mark: string, style: Style]>> = {
  ok: ["ok  ", "green"],
  note: ["note", "blue"],
  warning: ["warn", "yellow"],
  failure: ["FAIL", "red"],
};

/** Prints a finding, with its advice below it. */
export function printFinding(finding: Finding, terminal: Terminal): void {
  const [mark, style] = MARKS[finding.level];
  // what servers answered may stand in it
  terminal.out(`${terminal.style(style, mark)}  ${printableLines(finding.text)}`);
  if (finding.advice !== undefined) terminal.out(printableLines(adviceLines(finding.advice)));
}

/** Says a finding, with its advice below it, to whoever looks at a command that does something else. */
export function warnOf(finding: Finding, terminal: Terminal): void {
  const [text = "", ...advice] = findingLines(finding);
  terminal.err(terminal.style("yellow", text));
  for (const one of advice) terminal.err(one);
}

/** What was found, by itself, and the advice below it where there is any. */
export function findingLines({ text, advice, where = "" }: Finding): string[] {
  // doctor says above who is looked at
  const whole = text.includes(where) ? text : `${where}: ${text}`;
  return advice === undefined ? [whole] : [whole, adviceLines(advice)];
}

function adviceLines(advice: string): string {
  return `      → ${advice.replaceAll("\n", "\n        ")}`;
}
