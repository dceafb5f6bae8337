/** What the pictures of a run have in common: their size, and what stands below. */
import type { Row } from "../bench.ts";
import { formatMachine, type Machine } from "../machine.ts";
import { escapeXml, text } from "./svg.ts";
import type { Theme } from "./theme.ts";

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
const LINE = 17;

/** What is in a picture, and what is said of it. */
export interface Drawing {
  readonly parts: readonly string[];
  /** Of the first line below the parts. */
  readonly y: number;
  /** Tells what is in the picture. */
  readonly title: string;
  /** What shows the lowest and the highest round, with its verb: "the line goes". */
  readonly range: string;
}

/** A whole picture: the parts, and below them how the rows were measured, on what and when. */
export function pictureSvg(chart: Chart, { parts, y, title, range }: Drawing): string {
  const caption = captionOf(chart, range);
  const height = y + caption.length * LINE;
  const style = { x: MARGIN, size: 12, fill: chart.theme.quiet };
  const lines = caption.map((line, index) => text({ ...style, y: y + index * LINE }, line));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" ` +
    `viewBox="0 0 ${WIDTH} ${height}" role="img" font-family="${FONT}">\n` +
    `<title>${escapeXml(title)}</title>\n${[...parts, ...lines].join("\n")}\n</svg>\n`;
}

function captionOf({ rows, machine, time, note }: Chart, range: string): string[] {
  const rounds = Math.min(...rows.map(({ runnel }) => runnel.rounds.length));
  const [hardware, versions] = formatMachine(machine);
  return [
    `Median of ${rounds} ${rounds === 1 ? "round" : "rounds"}; ${range} from the lowest to the ` +
    "highest. Load, server and Redis share the machine.",
    hardware,
    `${versions}, ${time.toISOString().slice(0, 10)}`,
    ...(note === undefined ? [] : [note]),
  ];
}
