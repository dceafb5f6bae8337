/** The picture that a run leaves behind, drawn by hand as SVG. */
import type { Row } from "./bench.ts";
import type { Machine } from "./machine.ts";
import type { Sample } from "./statistics.ts";

/** The colours of a picture. */
export interface Theme {
  readonly text: string;
  readonly quiet: string;
  readonly runnel: string;
  readonly baseline: string;
  /** The line from the lowest to the highest round. */
  readonly range: string;
}

/** For pages with a light and with a dark background. */
export const THEMES: Readonly<Record<"light" | "dark", Theme>> = {
  light: {
    ...{ text: "#1f2328", quiet: "#59636e" },
    ...{ runnel: "#0969da", baseline: "#afb8c1", range: "#1f2328" },
  },
  dark: {
    ...{ text: "#f0f6fc", quiet: "#9198a1" },
    ...{ runnel: "#4493f8", baseline: "#545d68", range: "#f0f6fc" },
  },
};

/** What is drawn. */
export interface Chart {
  readonly rows: readonly Row[];
  readonly machine: Machine;
  /** When it was measured. */
  readonly time: Date;
  readonly theme: Theme;
  /** What else must be known of the run, such as that the machine was busy. */
  readonly note?: string | undefined;
}

const WIDTH = 800;
const MARGIN = 16;
const BAR = 14;
const ROW = 66;
/** The longest bar; numbers stand behind it. */
const LONGEST = WIDTH - 2 * MARGIN - 190;
const FONT =
  "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif";

/** A chart of Runnel's numbers beside their baselines; each unit has its own scale. */
export function chartSvg(chart: Chart): string {
  const { rows, theme, note } = chart;
  const parts: string[] = [];
  let y = MARGIN + 14;
  for (const [unit, group] of Map.groupBy(rows, (row) => row.unit)) {
    parts.push(text({ y, size: 15, weight: 600, fill: theme.text }, headingOf(unit)));
    y += 10;
    const most = Math.max(
      ...group.flatMap((row) => [row.runnel.highest, row.baseline?.highest ?? 0]),
    );
    for (const row of group) {
      parts.push(rowSvg(row, { y, most, theme }));
      y += ROW;
    }
    y += 22;
  }
  for (const line of [...captionOf(chart), ...(note === undefined ? [] : [note])]) {
    parts.push(text({ y, size: 12, fill: theme.quiet }, line));
    y += 17;
  }
  const title = escapeXml(rows.map(describe).join("; "));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}" ` +
    `role="img" font-family="${FONT}">\n<title>${title}</title>\n${parts.join("\n")}\n</svg>\n`;
}

interface Place {
  readonly y: number;
  /** What the longest bar stands for. */
  readonly most: number;
  readonly theme: Theme;
}

function rowSvg({ name, runnel, baseline, baselineName = "" }: Row, place: Place): string {
  const { y, theme } = place;
  return [
    text({ y: y + 14, size: 13, fill: theme.text }, name),
    bar(runnel, { ...place, y: y + 21, fill: theme.runnel, label: "Runnel" }),
    ...(baseline === undefined ? [] : [
      bar(baseline, { ...place, y: y + 21 + BAR + 3, fill: theme.baseline, label: baselineName }),
    ]),
  ].join("\n");
}

function bar(
  { median, lowest, highest }: Sample,
  { y, most, theme, fill, label }: Place & { fill: string; label: string },
): string {
  const at = (value: number) => most > 0 ? round(MARGIN + (value / most) * LONGEST) : MARGIN;
  const middle = y + BAR / 2;
  const end = Math.max(at(median), at(highest)) + 8;
  return [
    `<rect x="${MARGIN}" y="${y}" width="${
      round(at(median) - MARGIN)
    }" height="${BAR}" rx="2" fill="${fill}"/>`,
    `<path d="M${at(lowest)} ${middle}H${
      at(highest)
    }" stroke="${theme.range}" stroke-width="1.5"/>`,
    text({ x: end, y: middle + 4, size: 12, fill: theme.text }, `${formatCount(median)}  ${label}`),
  ].join("\n");
}

interface TextStyle {
  /** @default the left margin */
  readonly x?: number;
  readonly y: number;
  readonly size: number;
  readonly weight?: number;
  readonly fill: string;
}

function text({ x = MARGIN, y, size, weight = 400, fill }: TextStyle, words: string): string {
  return `<text x="${x}" y="${y}" font-size="${size}" font-weight="${weight}" fill="${fill}">${
    escapeXml(words)
  }</text>`;
}

function headingOf(unit: string): string {
  const units: Readonly<Record<string, string>> = { "/s": "Requests a second", ms: "Milliseconds" };
  const known = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return known ?? unit.replace("/s", " a second").replace(/^./, (first) => first.toUpperCase());
}

function captionOf({ machine, time, rows }: Chart): string[] {
  const { cpu, cores, memoryGiB, system, deno, redis, fsyncMs, commit } = machine;
  const rounds = Math.min(...rows.map(({ runnel }) => runnel.rounds.length));
  return [
    `Median of ${rounds} ${
      rounds === 1 ? "round" : "rounds"
    }; the line goes from the lowest to the highest. ` +
    "Load, server and Redis share the machine.",
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}`,
    `Deno ${deno}, Redis ${redis}, fdatasync ${fsyncMs.toFixed(2)} ms, commit ${commit}, ` +
    time.toISOString().slice(0, 10),
  ];
}

function describe({ name, unit, runnel, baseline, baselineName }: Row): string {
  const ours = `${name}: ${formatCount(runnel.median)} ${unit}`;
  return baseline === undefined ? ours : `${ours}, ${baselineName} ${formatCount(baseline.median)}`;
}

/** A number in as few characters as say it: `8.21`, `412`, `31,400`. */
export function formatCount(value: number): string {
  const digits = value < 10 ? 2 : value < 100 ? 1 : 0;
  // three digits are more than such a measurement is worth
  const rounded = value >= 1_000 ? Number(value.toPrecision(3)) : value;
  return rounded.toLocaleString("en", { maximumFractionDigits: digits });
}

/** Text as XML takes it. */
export function escapeXml(words: string): string {
  const entities: Readonly<Record<string, string>> = {
    ...{ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;" },
  };
  return words.replace(/[&<>"']/g, (character) => entities[character] ?? character)
    // deno-lint-ignore no-control-regex -- XML has no place for them
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, "");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
