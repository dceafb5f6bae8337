import { useMemo, useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { formatBytes, formatShort } from "../ui/format.ts";
import { useTicks } from "../ui/ticks.ts";
import { ChartCard } from "./chart_card.tsx";
import type { Line } from "./chart.tsx";
import type { Timeline } from "./history.ts";
import type { StatsFeed } from "./stats_feed.ts";
import type { Summary } from "./summary.ts";

/** A line, by the name of what it shows of each second. */
type Shown = readonly [name: keyof Summary, label: string, colour: string];

interface Card {
  readonly title: string;
  readonly lines: readonly Shown[];
  readonly format: (value: number) => string;
  readonly steps?: readonly number[];
  readonly note?: (summary: Summary) => string | undefined;
}

const CARDS: readonly Card[] = [
  {
    title: "Messages per second",
    lines: [["in", "in", "--line-1"], ["out", "out", "--line-2"]],
    format: formatShort,
  },
  {
    title: "Subscribers",
    lines: [["subscribers", "open", "--line-1"]],
    format: formatShort,
    note: ({ instances }) => `${instances} instance${instances === 1 ? "" : "s"}`,
  },
  {
    title: "Work in groups",
    lines: [
      ["lag", "lag", "--line-1"],
      ["pending", "pending", "--line-2"],
      ["dead", "dead", "--line-4"],
    ],
    format: formatShort,
    note: ({ groups }) => `${formatShort(groups)} group${groups === 1 ? "" : "s"}`,
  },
  {
    title: "Errors per second",
    lines: [["errors", "failed", "--line-4"], ["refused", "refused", "--line-3"]],
    format: formatShort,
  },
  {
    title: "Redis memory",
    lines: [["memoryBytes", "used", "--line-1"]],
    format: formatBytes,
    // half as much, and twice as much again
    steps: Array.from({ length: 50 }, (_, i) => 2 ** i),
    note: ({ memoryBytes, maxMemoryBytes }) =>
      maxMemoryBytes === null || memoryBytes === null
        ? "no limit"
        : `${Math.round(memoryBytes / maxMemoryBytes * 100)} % of ${formatBytes(maxMemoryBytes)}`,
  },
  {
    title: "Latency",
    lines: [
      ["latencyMs", "Redis", "--line-1"],
      ["publishMs", "publish", "--line-2"],
      ["deliveryMs", "delivery", "--line-3"],
    ],
    format: (ms) => `${formatShort(ms)} ms`,
    note: () => "publish and delivery: p99",
  },
];

/** Reports that are this much younger than the clock says are as good as now: they take their time. */
const SLACK_SECONDS = 3;

/** The last minutes as charts, each second anew. */
export function Charts({ feed, api }: { readonly feed: StatsFeed; readonly api: Api }) {
  useTicks(1_000);
  const [pointed, setPointed] = useState<number>();
  const last = lastSecond(feed, api);
  // the pointer moves more often than the lines do
  const { timeline, cards } = useMemo(() => {
    const timeline = feed.history.upTo(last);
    const cards = CARDS.map(({ lines, ...card }) => ({
      ...card,
      lines: lines.map((line) => lineOf(line, timeline)),
    }));
    return { timeline, cards };
  }, [last, feed.history.version]);
  const summary = timeline.summaries[pointed ?? timeline.seconds.length - 1];
  return (
    <div class="charts">
      {cards.map(({ note, ...card }) => (
        <ChartCard
          key={card.title}
          seconds={timeline.seconds}
          {...card}
          at={pointed}
          note={summary === undefined ? undefined : note?.(summary)}
          onPoint={setPointed}
        />
      ))}
    </div>
  );
}

/** The second at the right end. While no reports come time goes on all the same, and leaves a hole. */
function lastSecond({ history }: StatsFeed, { clock }: Api): number {
  const now = Math.floor(clock.now() / 1_000);
  return now - history.newest > SLACK_SECONDS ? now : history.newest;
}

function lineOf([name, label, colour]: Shown, { summaries }: Timeline): Line {
  const values = summaries.map((summary) => {
    const value = summary?.[name];
    return typeof value === "number" ? value : null;
  });
  return { label, colour, values };
}
