import { printable } from "../printable.ts";
import { count, size } from "../progress.ts";
import type { Terminal } from "../terminal.ts";
import { fitted } from "../text_width.ts";
import type { DeploymentStats } from "./stats_feed.ts";
import type { TopicDetail } from "./topic_poll.ts";
import { HISTORY, type TopicRow, type TopOrder } from "./topic_table.ts";

/** What `top` knows at a moment. */
export interface TopView {
  readonly server: string;
  readonly order: TopOrder;
  readonly intervalMs: number;
  /** The rows in sight. */
  readonly rows: readonly TopicRow[];
  /** Of the rows in sight, by topic. */
  readonly details: ReadonlyMap<string, TopicDetail>;
  /** How many rows stand above them. */
  readonly above: number;
  readonly topics: {
    readonly known: number;
    readonly busy: number;
    /** How many were looked at last. */
    readonly looked: number;
    /** Whether all have been looked at. */
    readonly complete: boolean;
    /** Whether some are out of the server's reach. */
    readonly missing: boolean;
    /** Age of the oldest figure. */
    readonly oldestMs: number;
  };
  /** Messages a second into all topics. */
  readonly in: number;
  readonly stats: DeploymentStats | undefined;
  /** Why there is nothing new, and for how long; undefined where all is well. */
  readonly trouble: { readonly reason: string; readonly forMs: number } | undefined;
}

type Styler = Pick<Terminal, "style">;

/** How many lines of a screen stand around the rows. */
export const FRAME_LINES = 6;

/** The page as lines, each as wide as the screen at the most. */
export function topPage(
  view: TopView,
  { columns, lines, style }: { columns: number; lines: number } & Styler,
): string[] {
  const plain = (text: string) => fitted(text, columns);
  const room = Math.max(lines - FRAME_LINES, 0);
  const faded = view.trouble !== undefined;
  const rows = tableLines(view, columns, { style }).slice(0, room);
  return [
    view.trouble === undefined
      ? style("bold", plain(`Runnel  ${view.server}  every ${view.intervalMs / 1_000} s`))
      : style("red", plain(troubleLine(view.trouble))),
    plain(figuresLine(view)),
    "",
    style("bold", plain(headLine(view.order, columns))),
    ...rows.map((row) => faded ? style("dim", row) : row),
    ...Array.from({ length: room - rows.length }, () => ""),
    style("dim", plain(omissionsLine(view))),
    style("dim", plain("q ends  ↑ ↓ PgUp PgDn Home End scroll  s sorts by rate, messages, name")),
  ].slice(0, lines);
}

/** The page for a file or a pipe, or a single look: the same without a frame. */
export function topReport(view: TopView, { style }: Styler): string[] {
  const columns = 100;
  return [
    figuresLine(view),
    headLine(view.order, columns).trimEnd(),
    ...tableLines(view, columns, { style }).map((line) => line.trimEnd()),
    ...(omissionsLine(view) === "" ? [] : [omissionsLine(view)]),
  ];
}

interface Column {
  readonly title: string;
  readonly width: number;
  readonly order?: TopOrder;
  /** Screens narrower than this do without it. */
  readonly from: number;
  readonly cell: (row: TopicRow, detail: TopicDetail | undefined) => string;
}

const COLUMNS: readonly Column[] = [
  { title: "rate/s", width: 9, order: "rate", from: 0, cell: ({ rate }) => rateText(rate) },
  { title: "", width: HISTORY, from: 64, cell: ({ history }) => sparkline(history) },
  {
    title: "messages",
    width: 11,
    order: "messages",
    from: 40,
    cell: (row) => count(row.count),
  },
  { title: "kept", width: 9, from: 84, cell: (_, detail) => figure(detail?.messages) },
  { title: "subs", width: 6, from: 50, cell: (_, detail) => figure(detail?.subscribers) },
  { title: "lag", width: 8, from: 58, cell: (_, detail) => groupFigure(detail, "lag") },
  { title: "pending", width: 8, from: 74, cell: (_, detail) => groupFigure(detail, "pending") },
];

function shown(columns: number): { topic: number; others: readonly Column[] } {
  const others = COLUMNS.filter(({ from }) => columns >= from);
  const taken = others.reduce((sum, { width }) => sum + width + 1, 0);
  return { topic: Math.max(columns - taken, 1), others };
}

function headLine(order: TopOrder, columns: number): string {
  const { topic, others } = shown(columns);
  const mark = (title: string, own: TopOrder | undefined) => own === order ? `${title}▾` : title;
  const cells = others.map((column) => mark(column.title, column.order).padStart(column.width));
  return [fitted(mark("topic", "name"), topic), ...cells].join(" ");
}

function tableLines({ rows, details }: TopView, columns: number, { style }: Styler): string[] {
  const { topic, others } = shown(columns);
  return rows.map((row) => {
    const name = fitted(printable(row.topic), topic);
    const detail = details.get(row.topic);
    const cells = others.map(({ cell, width }) => cell(row, detail).padStart(width));
    return [row.rate ? style("cyan", name) : name, ...cells].join(" ");
  });
}

function figuresLine({ in: rate, stats, topics: { known, busy, complete } }: TopView): string {
  const topics = `${count(known)}${complete ? "" : "+"} topics, ${count(busy)} busy`;
  if (stats === undefined) return `in ${rateText(rate)}/s   ${topics}`;
  const { out, subscribers, errors, redisMs, redisBytes, groups, instances } = stats;
  return [
    `in ${rateText(stats.in)}/s`,
    `out ${rateText(out)}/s`,
    topics,
    `${count(subscribers)} streams`,
    ...(groups === undefined ? [] : [`lag ${count(groups.lag)}, dead ${count(groups.dead)}`]),
    ...(errors > 0 ? [`errors ${rateText(errors)}/s`] : []),
    ...(redisMs === undefined ? [] : [`Redis ${redisMs.toFixed(1)} ms`]),
    ...(redisBytes === undefined ? [] : [size(redisBytes)]),
    ...(instances > 1 ? [`${instances} instances`] : []),
  ].join("   ");
}

/** What is not in the table, and how far its figures can be trusted. */
function omissionsLine({ above, rows, topics }: TopView): string {
  const { known, looked, complete, missing, oldestMs } = topics;
  const below = known - above - rows.length;
  const hidden = [
    ...(above > 0 ? [`${count(above)} above`] : []),
    ...(below > 0 ? [`${count(below)} below`] : []),
  ];
  return [
    ...(hidden.length > 0 ? [`Left out: ${hidden.join(", ")}`] : []),
    ...(complete && looked >= known ? [] : [
      `${count(looked)} topics looked at each time` +
      (complete ? `, each within ${seconds(oldestMs)}` : ", more to come"),
    ]),
    ...(missing ? ["some topics are out of the server's reach"] : []),
  ].join("; ");
}

function troubleLine({ reason, forMs }: { reason: string; forMs: number }): string {
  return `${printable(reason)} (for ${seconds(forMs)}; trying again)`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`;
}

/** A rate for people: `0`, `0.25`, `12.5`, `1,234`; `…` where it is not known yet. */
export function rateText(rate: number | undefined): string {
  if (rate === undefined) return "…";
  if (rate === 0 || rate >= 99.95) return count(rate);
  return rate >= 9.995 ? rate.toFixed(1) : rate.toFixed(2);
}

function figure(number: number | undefined): string {
  return number === undefined ? "" : count(number);
}

function groupFigure(detail: TopicDetail | undefined, name: "lag" | "pending"): string {
  if (detail === undefined) return "";
  return detail.groups === 0 ? "-" : count(detail[name]);
}

const BARS = "▁▂▃▄▅▆▇█";

/** The rates as bars, of which the highest is the highest rate. */
export function sparkline(rates: readonly number[]): string {
  const highest = Math.max(...rates);
  if (!(highest > 0)) return "";
  return rates.map((rate) => BARS[Math.ceil((rate / highest) * (BARS.length - 1))]).join("");
}
