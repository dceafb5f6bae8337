import { Api, URL_OPTION } from "../api.ts";
import { CliError } from "../cli_error.ts";
import type { Command, CommandInput } from "../command.ts";
import { durationMs } from "../duration.ts";
import { nearest } from "../nearest.ts";
import { printable } from "../printable.ts";
import { StopSignals } from "../stop_signals.ts";
import { readable, type Terminal } from "../terminal.ts";
import { FullScreen } from "../top/full_screen.ts";
import { TopMonitor } from "../top/top_monitor.ts";
import { FRAME_LINES, topPage, topReport, type TopView } from "../top/top_page.ts";
import type { TopOrder } from "../top/topic_table.ts";

const ORDERS: readonly TopOrder[] = ["rate", "messages", "name"];
const ROWS = 20;
const LEAST_INTERVAL_MS = 200;

/** `deno task top`: topics and their rates, live. */
export const top: Command = {
  name: "top",
  usage: "top",
  summary: "Shows topics and their rates, live in the terminal",
  details: `
q or Ctrl-C ends it. Where stdout is no terminal, a plain table is printed each time. A look asks for 5,000 topics at
the most (20,000 until it has seen all), and closely for those in sight: where there are more, the rates of the others
are averages since they were looked at last, and the page says how long ago that was. While the server is away it says
so, and goes on when it is back. The second line has more where the server says it on the topic $stats, to which a key
needs:
--subscribe '$stats'`,
  examples: [
    "deno task top",
    "deno task top --prefix orders. --sort messages",
    "deno task top --once  # one look, which takes one interval",
    "deno task top --json --interval 10s | jq '{time, in}'",
  ],
  options: {
    interval: { value: "<time>", help: "Time between two looks (2s)" },
    sort: { value: "<by>", help: "What comes first: rate (default), messages or name" },
    prefix: { value: "<text>", help: "Only topics that begin so" },
    rows: { value: "<n>", help: "Rows of a plain table, and of --json (20)" },
    once: { help: "Print one table and end" },
    json: {
      help:
        "Print a line of JSON each time: { time, in, topics, rows, stats? }, or { time, error }",
    },
    url: URL_OPTION,
  },
  positionals: { least: 0, most: 0 },
  async run(input, terminal) {
    const intervalMs = readInterval(input);
    const order = readOrder(input);
    const rows = input.number("rows", 1) ?? ROWS;
    const api = new Api(input.text("url"));
    const plain = input.has("json") || input.has("once") || !terminal.screen ||
      readable("TERM") === "dumb";
    let screen: FullScreen | undefined;
    using stop = new StopSignals(() => {
      screen?.[Symbol.dispose]();
      Deno.exit(130);
    });
    await using monitor = new TopMonitor({
      api,
      prefix: input.text("prefix"),
      order,
      intervalMs,
      signal: stop.signal,
    });
    if (plain) await printTables(monitor, { input, terminal, rows });
    else {
      // before the screen is taken: what is wrong from the start is said on the one that stays
      await monitor.look({ from: 0, count: ROWS });
      using own = new FullScreen((key) => press(key, { monitor, redraw: () => draw() }));
      screen = own;
      const draw = () => {
        const { columns, lines } = own.size;
        const view = monitor.view(sight(monitor, lines));
        own.draw(topPage(view, { columns, lines, style: terminal.style }));
      };
      draw();
      await monitor.run({
        sight: () => sight(monitor, own.size.lines),
        onLook: draw,
      });
    }
    return 0;
  },
};

/** Which rows are in sight on a screen. */
function sight(monitor: TopMonitor, lines: number): { from: number; count: number } {
  return { from: monitor.from, count: Math.max(lines - FRAME_LINES, 1) };
}

function press(
  key: string,
  { monitor, redraw }: { monitor: TopMonitor; redraw: () => void },
): void {
  if (key === "q" || key === "Q" || key === "escape") return monitor.end();
  if (key === "s") monitor.order = ORDERS[(ORDERS.indexOf(monitor.order) + 1) % ORDERS.length]!;
  else if (Object.hasOwn(STEPS, key)) monitor.scroll(STEPS[key] ?? 0);
  redraw();
}

/** How far a key moves, in rows; what is beyond an end goes to that end. */
const STEPS: Readonly<Record<string, number>> = {
  up: -1,
  down: 1,
  "page up": -ROWS,
  "page down": ROWS,
  home: -Infinity,
  end: Infinity,
};

async function printTables(
  monitor: TopMonitor,
  { input, terminal, rows }: { input: CommandInput; terminal: Terminal; rows: number },
): Promise<void> {
  const once = input.has("once");
  const range = { from: 0, count: rows };
  // a rate needs two looks
  await monitor.look(range);
  await monitor.run({
    sight: () => range,
    onLook: () => {
      const view = monitor.view(range);
      if (input.has("json")) terminal.out(viewJson(view));
      else if (view.trouble !== undefined) terminal.err(printable(view.trouble.reason));
      else for (const line of [...topReport(view, terminal), ""]) terminal.out(line);
      if (once) {
        if (view.trouble !== undefined) throw new CliError(view.trouble.reason);
        monitor.end();
      }
    },
  });
}

function viewJson(view: TopView): string {
  const time = new Date().toISOString();
  const { trouble, rows, details, topics, stats } = view;
  if (trouble !== undefined) return JSON.stringify({ time, error: trouble.reason });
  const { known, busy, looked, complete, missing } = topics;
  return JSON.stringify({
    time,
    in: rounded(view.in),
    topics: { known, busy, looked, complete, missing },
    rows: rows.map(({ topic, rate, count }) => ({
      topic,
      rate: rate === undefined ? null : rounded(rate),
      count,
      ...details.get(topic),
    })),
    ...(stats === undefined ? {} : { stats }),
  });
}

function rounded(rate: number): number {
  return Math.round(rate * 1_000) / 1_000;
}

function readInterval(input: CommandInput): number {
  const intervalMs = durationMs(input.text("interval"), "interval") ?? 2_000;
  if (intervalMs >= LEAST_INTERVAL_MS) return intervalMs;
  throw new CliError(`Cannot look more often than every ${LEAST_INTERVAL_MS}ms`, { exitCode: 2 });
}

function readOrder(input: CommandInput): TopOrder {
  const text = input.text("sort") ?? "rate";
  const order = ORDERS.find((one) => one === text);
  if (order !== undefined) return order;
  const meant = nearest(text, ORDERS);
  throw new CliError(`Cannot sort by "${text}"`, {
    exitCode: 2,
    advice: [
      ...(meant === undefined ? [] : [`Is ${meant} meant?`]),
      `It sorts by: ${ORDERS.join(", ")}`,
    ],
  });
}
