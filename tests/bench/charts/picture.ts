/** What the pictures of a run have in common: colours, text, and what stands below. */
import type { Row } from "../bench.ts";
import type { Machine } from "../machine.ts";

/** The colours of a picture. */
export interface Theme {
  readonly text: string;
  readonly quiet: string;
  readonly runnel: string;
  readonly baseline: string;
  /** The line from the lowest to the highest round. */
  readonly range: string;
  /** Lines that only help the eye. */
  readonly grid: string;
}

/** For pages with a light and with a dark background. */
export const THEMES: Readonly<Record<"light" | "dark", Theme>> = {
  light: {
    ...{ text: "#1f2328", quiet: "#59636e", grid: "#d1d9e0" },
    ...{ runnel: "#0969da", baseline: "#afb8c1", range: "#1f2328" },
  },
  dark: {
    ...{ text: "#f0f6fc", quiet: "#9198a1", grid: "#3d444d" },
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

/** Of a picture, and of what stays empty at its left and right. */
export const WIDTH = 800;
export const MARGIN = 16;

const FONT =
  "-apple-system, BlinkMacSystemFont, 'Segoe UI', 'Noto Sans', Helvetica, Arial, sans-serif";
/** Pixels of the widest of the fonts' lines for each character and pixel of its size, and a little more. */
const CHARACTER = 0.6;

/** A whole picture of these parts, so many pixels high; its title tells what is in it. */
export function pictureSvg(
  parts: readonly string[],
  { height, title }: { height: number; title: string },
): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="${FONT}">\n` +
    `<title>${escapeXml(title)}</title>\n${parts.join("\n")}\n</svg>\n`;
}

/** Where and how words stand. */
export interface TextStyle {
  /** @default the left margin */
  readonly x?: number;
  readonly y: number;
  readonly size: number;
  readonly weight?: number;
  readonly fill: string;
  /** Which end of the words is at x. @default "start" */
  readonly anchor?: "start" | "middle" | "end";
}

/** Words on one line. */
export function text(
  { x = MARGIN, y, size, weight = 400, fill, anchor = "start" }: TextStyle,
  words: string,
): string {
  const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
  return `<text x="${round(x)}" y="${
    round(y)
  }" font-size="${size}" font-weight="${weight}"${anchored} fill="${fill}">${
    escapeXml(words)
  }</text>`;
}

/** Pixels that words take at most. */
export function textWidth(words: string, size: number): number {
  return words.length * size * CHARACTER;
}

/** The lines below a picture, from y on, and where the next one would be. */
export function captionSvg(
  chart: Chart,
  { y, range }: { y: number; range: string },
): { parts: string[]; y: number } {
  const lines = [...captionOf(chart, range), ...(chart.note === undefined ? [] : [chart.note])];
  const parts = lines.map((line, index) =>
    text({ y: y + index * 17, size: 12, fill: chart.theme.quiet }, line)
  );
  return { parts, y: y + lines.length * 17 };
}

function captionOf({ machine, time, rows }: Chart, range: string): string[] {
  const { cpu, cores, memoryGiB, system, deno, redis, fsyncMs, commit } = machine;
  const rounds = Math.min(...rows.map(({ runnel }) => runnel.rounds.length));
  return [
    `Median of ${rounds} ${rounds === 1 ? "round" : "rounds"}; ${range} from the lowest to the ` +
    "highest. Load, server and Redis share the machine.",
    `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}`,
    `Deno ${deno}, Redis ${redis}, fdatasync ${fsyncMs.toFixed(2)} ms, commit ${commit}, ` +
    time.toISOString().slice(0, 10),
  ];
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

/** Coordinates need no more than a digit behind the point. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}
