/** Curves of what becomes of a number when there is more of something, drawn by hand as SVG. */
import type { Point, Row } from "../bench.ts";
import type { Sample } from "../statistics.ts";
import { type Axis, axisOf, logAxis } from "./axis.ts";
import { formatCount, formatShort } from "./numbers.ts";
import { type Chart, MARGIN, pictureSvg, WIDTH } from "./picture.ts";
import { round, text, textWidth } from "./svg.ts";
import type { Theme } from "./theme.ts";

/** Panels beside each other, and pixels between them. */
const COLUMNS = 2;
const GAP = { x: 24, y: 26 };
const PANEL = { width: (WIDTH - 2 * MARGIN - (COLUMNS - 1) * GAP.x) / COLUMNS, height: 178 };
/** Where the numbers are drawn within a panel; what is left is for the words around them. */
const PLOT = { left: 86, right: PANEL.width - 42, top: 44, bottom: 122 };
/** From the first point to where the lines of the grid begin: as much as its label may need. */
const INSET = 42;
const SIZE = 11;
const RADIUS = 3;
/** How much higher or lower the neighbours of a point are where its label must make way for the line. */
const STEEP = 10;
const ASIDE = 5;

/** A row on a curve. */
type PointRow = Row & { readonly point: Point };

/** A panel for each number and each thing that grows: its line, with pale bars from the lowest to the highest round. */
export function growthChartSvg(chart: Chart): string {
  const rows = rowsOfGrowthChart(chart.rows);
  const panels = Map.groupBy(rows, ({ point }) => `${point.along}\n${point.panel}`);
  const parts = [...panels.values()].flatMap((panel, index) =>
    panelSvg(panel, {
      x: MARGIN + (index % COLUMNS) * (PANEL.width + GAP.x),
      y: MARGIN + Math.floor(index / COLUMNS) * (PANEL.height + GAP.y),
      theme: chart.theme,
    })
  );
  const y = MARGIN + Math.ceil(panels.size / COLUMNS) * (PANEL.height + GAP.y) + 12;
  const title = rows.map(({ name, unit, runnel }) =>
    `${name}: ${formatCount(runnel.median)} ${unit}`
  ).join("; ");
  return pictureSvg({ ...chart, rows }, { parts, y, title, range: "pale bars go" });
}

/** The rows that are points of curves. */
export function rowsOfGrowthChart(rows: readonly Row[]): readonly PointRow[] {
  return rows.filter((row): row is PointRow => row.point !== undefined);
}

interface Place {
  /** Of the panel's upper left corner. */
  readonly x: number;
  readonly y: number;
  readonly theme: Theme;
}

function panelSvg(rows: readonly PointRow[], place: Place): string[] {
  const { theme, x, y } = place;
  const across = rows.map(({ point }) => point.at);
  const axes = {
    x: logAxis(Math.min(...across), Math.max(...across)),
    y: axisOf(rows.map(({ runnel }) => runnel.median).concat(highestOf(rows))),
  };
  const toX = (value: number) => x + PLOT.left + axes.x.at(value) * (PLOT.right - PLOT.left);
  const toY = (value: number) => y + PLOT.bottom - axes.y.at(value) * (PLOT.bottom - PLOT.top);
  const lines = [...Map.groupBy(rows, ({ point }) => point.line)].map(([name, points], index) => ({
    name,
    colour: index === 0 ? theme.runnel : theme.quiet,
    places: points.map(({ point, runnel }): Spot => ({
      ...{ at: point.at, sample: runnel },
      ...{ x: toX(point.at), y: toY(runnel.median) },
      ...{ low: toY(runnel.lowest), high: toY(runnel.highest) },
    })),
  }));
  const spots = lines.flatMap(({ places }) => places);
  const [first] = rows;
  return [
    text(
      { x, y: y + 14, size: 14, weight: 600, fill: theme.text },
      first === undefined ? "" : `${first.point.panel}, by ${first.point.along}`,
    ),
    ...(lines.length > 1 ? legendSvg(lines, place) : []),
    ...gridSvg(axes.y, { ...place, toY }),
    ...acrossSvg(rows, { ...place, toX }),
    ...lines.flatMap((line) => lineSvg(line, { theme, spots })),
  ];
}

// both kinds of axis have room for the highest round; what is below a logarithmic one is cut
function highestOf(rows: readonly PointRow[]): number {
  return Math.max(...rows.map(({ runnel }) => runnel.highest));
}

/** A point of a line as it is drawn. */
interface Spot {
  readonly at: number;
  readonly sample: Sample;
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

interface Line {
  readonly name: string;
  readonly colour: string;
  readonly places: readonly Spot[];
}

/** Names of the lines, at the panel's upper right. */
function legendSvg(lines: readonly Line[], { x, y, theme }: Place): string[] {
  let end = x + PANEL.width;
  return lines.toReversed().flatMap(({ name, colour }) => {
    const at = end;
    const dot = at - textWidth(name, SIZE) - 6;
    end = dot - 14;
    return [
      text({ x: at, y: y + 13, size: SIZE, fill: theme.text, anchor: "end" }, name),
      `<circle cx="${round(dot)}" cy="${round(y + 9)}" r="${RADIUS + 1}" fill="${colour}"/>`,
    ];
  });
}

function gridSvg(
  { ticks }: Axis,
  { x, theme, toY }: Place & { toY: (value: number) => number },
): string[] {
  return ticks.flatMap((tick) => {
    const y = toY(tick);
    return [
      `<path d="M${x + PLOT.left - INSET} ${round(y)}H${
        x + PANEL.width
      }" stroke="${theme.grid}" stroke-width="1"/>`,
      text(
        { x: x + PLOT.left - INSET - 6, y: y + 4, size: SIZE, fill: theme.quiet, anchor: "end" },
        formatShort(tick),
      ),
    ];
  });
}

/** What grows: a mark for each point, and words below. */
function acrossSvg(
  rows: readonly PointRow[],
  { x, y, theme, toX }: Place & { toX: (value: number) => number },
): string[] {
  const marks = new Map(rows.map(({ point }) => [point.at, point]));
  const middle = x + (PLOT.left + PLOT.right) / 2;
  const style = { size: SIZE, fill: theme.quiet, anchor: "middle" } as const;
  return [
    ...[...marks.values()].map((point) =>
      text({ ...style, x: toX(point.at), y: y + PLOT.bottom + 32 }, formatAt(point))
    ),
    text({ ...style, x: middle, y: y + PLOT.bottom + 50 }, rows[0]?.point.axis ?? ""),
  ];
}

function formatAt({ along, at }: Point): string {
  if (along !== "bytes") return at.toLocaleString("en");
  if (at >= 1e6) return `${at / 1e6} MB`;
  return at >= 1e3 ? `${at / 1e3} KB` : `${at} B`;
}

function lineSvg(
  { colour, places }: Line,
  { theme, spots }: { theme: Theme; spots: readonly Spot[] },
): string[] {
  const path = places.map(({ x, y }, n) => `${n === 0 ? "M" : "L"}${round(x)} ${round(y)}`);
  return [
    ...places.map(({ x, low, high }) =>
      `<path d="M${round(x)} ${round(low)}V${
        round(high)
      }" stroke="${colour}" stroke-opacity="0.35" stroke-width="6"/>`
    ),
    `<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    ...places.map(({ x, y }) =>
      `<circle cx="${round(x)}" cy="${round(y)}" r="${RADIUS}" fill="${colour}"/>`
    ),
    ...places.map((spot, n) =>
      labelSvg(spot, { ...{ theme, spots }, around: [places[n - 1], places[n + 1]] })
    ),
  ];
}

interface Surroundings {
  readonly theme: Theme;
  /** The points of all lines of the panel. */
  readonly spots: readonly Spot[];
  /** The point before and the point after, where there are such. */
  readonly around: readonly [Spot | undefined, Spot | undefined];
}

/**
 * The number at a point, where the line leaves room: above the upper of two lines and below the lower one, below a
 * valley of a single one, and beside a line that goes up or down.
 */
function labelSvg(spot: Spot, { theme, spots, around: [before, after] }: Surroundings): string {
  const same = spots.filter(({ at }) => at === spot.at).toSorted((a, b) => a.y - b.y);
  const [left, right] = [(before ?? spot).y - spot.y, (after ?? spot).y - spot.y];
  const above = same.length === 1 ? left >= 0 || right >= 0 : same[0] === spot;
  const through = left * right <= 0 && Math.abs(right - left) > STEEP;
  const aside = !through ? 0 : (right > left) === above ? ASIDE : -ASIDE;
  const anchor = aside > 0 ? "start" : aside < 0 ? "end" : "middle";
  // beside the pale bar, or beyond its end
  const [highest, lowest] = aside === 0 ? [spot.high, spot.low] : [spot.y, spot.y];
  const y = above ? highest - 7 : lowest + 15;
  const style = { size: SIZE, fill: theme.text, anchor } as const;
  return text({ ...style, x: spot.x + aside, y }, formatShort(spot.sample.median));
}
