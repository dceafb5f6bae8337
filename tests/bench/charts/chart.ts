/** Bars of Runnel's numbers beside their baselines, drawn by hand as SVG. */
import type { Row } from "../bench.ts";
import type { Sample } from "../statistics.ts";
import { formatCount } from "./numbers.ts";
import { type Chart, MARGIN, pictureSvg, WIDTH } from "./picture.ts";
import { round, text, textWidth } from "./svg.ts";
import type { Theme } from "./theme.ts";

const BAR = 14;
const LINE = BAR + 3;
const HEADING = 21;
const SPACE = 12;
const LABEL_SIZE = 12;
const LABEL_GAP = 8;

/** A chart of Runnel's numbers, each above what it was measured against; each unit has its own scale. */
export function chartSvg(chart: Chart): string {
  const { theme } = chart;
  const rows = rowsOfChart(chart.rows);
  const parts: string[] = [];
  let y = MARGIN + 14;
  for (const [unit, groups] of Map.groupBy(groupsOf(rows), (group) => group.unit)) {
    parts.push(text({ x: MARGIN, y, size: 15, weight: 600, fill: theme.text }, headingOf(unit)));
    y += 10;
    const scale = scaleOf(groups.flatMap(({ bars }) => bars));
    for (const { name, bars } of groups) {
      parts.push(text({ x: MARGIN, y: y + 14, size: 13, fill: theme.text }, name));
      y += HEADING;
      for (const one of bars) {
        parts.push(barSvg(one, { y, scale, theme }));
        y += LINE;
      }
      y += SPACE;
    }
    y += 22;
  }
  const title = rows.map(describe).join("; ");
  return pictureSvg({ ...chart, rows }, { parts, y, title, range: "the line goes" });
}

/** The rows that bars tell something of: Runnel's own, not on a curve, and with something to compare with. */
export function rowsOfChart(rows: readonly Row[]): readonly Row[] {
  return rows.filter(({ subject, point, baseline, aim }) =>
    subject === undefined && point === undefined && (baseline !== undefined || aim !== undefined)
  );
}

interface Bar {
  readonly sample: Sample;
  readonly label: string;
  readonly colour: "runnel" | "baseline";
}

/** One number of Runnel, and all that it was measured against. */
interface Group {
  readonly name: string;
  readonly unit: string;
  readonly bars: readonly Bar[];
}

function groupsOf(rows: readonly Row[]): Group[] {
  const groups = Map.groupBy(rows, ({ name, unit }) => `${name}\n${unit}`);
  return [...groups.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const baselines = same.flatMap(({ baseline, baselineName = "" }): Bar[] =>
      baseline ? [{ sample: baseline, label: baselineName, colour: "baseline" }] : []
    );
    const own: Bar = { sample: first.runnel, label: "Runnel", colour: "runnel" };
    return [{ name: first.name, unit: first.unit, bars: [own, ...baselines] }];
  });
}

/** Pixels for one of the unit: as many as leave room behind each bar for its label. */
function scaleOf(bars: readonly Bar[]): number {
  const scales = bars.filter(({ sample }) => sample.highest > 0).map((bar) =>
    (WIDTH - 2 * MARGIN - LABEL_GAP - textWidth(labelOf(bar), LABEL_SIZE)) / bar.sample.highest
  );
  return scales.length > 0 ? Math.min(...scales) : 0;
}

function labelOf({ sample, label }: Bar): string {
  return `${formatCount(sample.median)}  ${label}`;
}

function barSvg(bar: Bar, place: { y: number; scale: number; theme: Theme }): string {
  const { y, scale, theme } = place;
  const { median, lowest, highest } = bar.sample;
  const at = (value: number) => round(MARGIN + value * scale);
  const middle = y + BAR / 2;
  const width = round(at(median) - MARGIN);
  return [
    `<rect x="${MARGIN}" y="${y}" width="${width}" height="${BAR}" rx="2" fill="${
      theme[bar.colour]
    }"/>`,
    `<path d="M${at(lowest)} ${middle}H${
      at(highest)
    }" stroke="${theme.range}" stroke-width="1.5"/>`,
    text(
      { x: at(highest) + LABEL_GAP, y: middle + 4, size: LABEL_SIZE, fill: theme.text },
      labelOf(bar),
    ),
  ].join("\n");
}

function headingOf(unit: string): string {
  const units: Readonly<Record<string, string>> = { "/s": "Requests a second", ms: "Milliseconds" };
  const known = Object.hasOwn(units, unit) ? units[unit] : undefined;
  return known ?? unit.replace("/s", " a second").replace(/^[a-z]/, (first) => first.toUpperCase());
}

function describe({ name, unit, runnel, baseline, baselineName }: Row): string {
  const ours = `${name}: ${formatCount(runnel.median)} ${unit}`;
  return baseline === undefined ? ours : `${ours}, ${baselineName} ${formatCount(baseline.median)}`;
}
