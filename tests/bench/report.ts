/** The table and the file that a run leaves behind. */
import type { Row } from "./bench.ts";
import { formatMachine, type Machine } from "./machine.ts";
import type { Sample } from "./statistics.ts";

/** Runnel's number divided by the baseline's; undefined where there is none. */
export function ratioOf({ runnel, baseline }: Row): number | undefined {
  return baseline && runnel.median / baseline.median;
}

/** Whether the aim is reached, its ratio and its limit; undefined where there is none. */
export function reaches(row: Row): boolean | undefined {
  if (!row.aim) return undefined;
  const { ratio, limit, better } = row.aim;
  const keeps = (value: number | undefined, wanted: number | undefined) => {
    if (wanted === undefined) return true;
    if (value === undefined) return false;
    return better === "higher" ? value >= wanted : value <= wanted;
  };
  return keeps(ratioOf(row), ratio) && keeps(row.runnel.median, limit);
}

/** The run as text: a header, a table, the notes. */
export function formatReport(machine: Machine, rows: readonly Row[]): string {
  const anyLoad = rows.some(({ loadCpu }) => loadCpu !== undefined);
  const lines = rows.map((row) => [
    row.name,
    `${row.subject === undefined ? "" : `${row.subject}: `}${formatSample(row.runnel)} ${row.unit}`,
    row.baseline ? `${formatSample(row.baseline)} ${row.unit}` : "",
    row.baselineName ?? "",
    ratioOf(row)?.toFixed(2) ?? "",
    formatAim(row),
    ...(anyLoad ? [formatLoad(row)] : []),
  ]);
  const head = [
    ...["what", "Runnel (lowest–highest)", "baseline", "baseline is", "ratio", "aim"],
    ...(anyLoad ? ["cores of the load"] : []),
  ];
  const notes = [...new Set(rows.flatMap(({ name, note }) => note ? [`${name}: ${note}`] : []))];
  return [
    ...formatMachine(machine),
    ...machine.peers,
    "Everything ran on this one machine: load, server and Redis share its cores.",
    "Medians of several rounds that took turns.",
    "",
    ...formatTable([head, ...lines]),
    ...(notes.length > 0 ? ["", ...notes] : []),
  ].join("\n");
}

/** What bench.json holds. */
export function reportJson(machine: Machine, rows: readonly Row[]): unknown {
  const time = new Date().toISOString();
  return {
    time,
    machine,
    rows: rows.map((row) => ({
      ...row,
      ratio: ratioOf(row) ?? null,
      reached: reaches(row) ?? null,
    })),
  };
}

function formatAim(row: Row): string {
  const { aim } = row;
  if (!aim) return "";
  const wanted = [
    ...(aim.ratio === undefined ? [] : [`${aim.ratio}`]),
    ...(aim.limit === undefined ? [] : [`${formatNumber(aim.limit)} ${row.unit}`]),
  ].join(", ");
  return `${aim.better === "higher" ? "≥" : "≤"} ${wanted} ${reaches(row) ? "reached" : "MISSED"}`;
}

function formatLoad({ loadCpu }: Row): string {
  if (!loadCpu) return "";
  const { runnel, baseline } = loadCpu;
  const own = runnel.median.toFixed(2);
  return baseline === undefined ? own : `${own}, baseline ${baseline.median.toFixed(2)}`;
}

function formatSample({ median, lowest, highest }: Sample): string {
  return `${formatNumber(median)} (${formatNumber(lowest)}–${formatNumber(highest)})`;
}

function formatNumber(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

function formatTable(rows: readonly string[][]): string[] {
  const widths =
    rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const format = (row: readonly string[]) =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [format(head), rule, ...body.map(format)];
}
