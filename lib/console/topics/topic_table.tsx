import { useEffect, useRef, useState } from "preact/hooks";
import type { Api } from "../api.ts";
import { useStore } from "../store.ts";
import { useKeys } from "../ui/keys.ts";
import { useTicks } from "../ui/ticks.ts";
import type { TopicDetails } from "./topic_details.ts";
import { TopicLine } from "./topic_line.tsx";
import type { Range } from "./topic_list.ts";
import type { TopicRow } from "./topic_rows.ts";
import { useVisibleRange } from "./visible_range.ts";

/** What {@link TopicTable} takes. */
export interface TopicTableProps {
  readonly api: Api;
  readonly rows: readonly TopicRow[];
  readonly details: TopicDetails;
  /** How many rows there are in all; -1 where that is not known. */
  readonly total: number;
  /** Told which rows are seen, and each second again. */
  readonly onRange: (range: Range) => void;
}

const ROW_HEIGHT = 41;
const TALL_ROW_HEIGHT = 64;
const HEADS = ["Topic", "Rate", "Published", "Last message", "Memory", "Subscribers", "Groups"];
const HEAD_TITLES: Readonly<Record<string, string>> = { Memory: "Memory in Redis" };
/** Room that the sticky head and a glance ahead take. */
const MARGIN_TOP = 110;
const MARGIN_BOTTOM = 24;

/** Rows of which only those are in the page that are seen, so that a hundred thousand stay smooth. */
export function TopicTable({ api, rows, details, total, onRange }: TopicTableProps) {
  useTicks(1_000);
  useStore(details.version);
  const body = useRef<HTMLDivElement>(null);
  const rowHeight = useIsNarrow() ? TALL_ROW_HEIGHT : ROW_HEIGHT;
  const [range, look] = useVisibleRange(body, { count: rows.length, rowHeight });
  const move = useMovement({ body, rows, rowHeight, range, look });
  // at each tick: what is known of those that are seen grows old
  useEffect(() => onRange(range));
  useKeys({ j: () => move(1), k: () => move(-1) });
  const now = api.clock.now();
  const seen = rows.slice(range.start, range.end);
  return (
    <div
      class="topic-table"
      role="table"
      aria-label="Topics"
      aria-rowcount={total < 0 ? -1 : total + 1}
      aria-colcount={HEADS.length}
    >
      <div role="rowgroup" class="topic-head">
        <div role="row" class="topic-line" aria-rowindex={1}>
          {HEADS.map((head) => (
            <div key={head} role="columnheader" title={HEAD_TITLES[head]}>{head}</div>
          ))}
        </div>
      </div>
      <div
        role="rowgroup"
        ref={body}
        class="topic-body"
        style={{ height: `${rows.length * rowHeight}px` }}
        onKeyDown={(event) => {
          const step = STEPS[event.key];
          if (step === undefined) return;
          event.preventDefault();
          move(step);
        }}
      >
        <div
          role="presentation"
          style={{ transform: `translateY(${range.start * rowHeight}px)` }}
        >
          {seen.map((row, i) => (
            <TopicLine
              key={row.topic}
              row={row}
              index={range.start + i}
              detail={details.of(row.topic)}
              now={now}
            />
          ))}
        </div>
      </div>
    </div>
  );
}

const STEPS: Readonly<Record<string, number>> = { ArrowDown: 1, ArrowUp: -1 };

interface Movement {
  readonly body: { readonly current: HTMLElement | null };
  readonly rows: readonly TopicRow[];
  readonly rowHeight: number;
  readonly range: Range;
  readonly look: () => void;
}

/** Moves the focus by so many rows, and the page with it. */
function useMovement({ body, rows, rowHeight, range, look }: Movement): (step: number) => void {
  const wanted = useRef<number | undefined>(undefined);
  const focus = () => {
    if (wanted.current === undefined) return;
    const link = body.current?.querySelector<HTMLElement>(`[data-index="${wanted.current}"] a`);
    if (!link) return;
    wanted.current = undefined;
    link.focus({ preventScroll: true });
  };
  // a row that was out of sight is there only now
  useEffect(focus, [range]);
  return (step) => {
    const element = body.current;
    if (element === null || rows.length === 0) return;
    const focused = element.contains(document.activeElement)
      ? document.activeElement?.closest("[data-index]")?.getAttribute("data-index")
      : undefined;
    const top = element.getBoundingClientRect().top;
    const firstSeen = Math.max(Math.ceil((MARGIN_TOP - top) / rowHeight), 0);
    const next = focused === undefined || focused === null ? firstSeen : Number(focused) + step;
    const index = Math.min(Math.max(next, 0), rows.length - 1);
    const at = top + index * rowHeight;
    const above = at - MARGIN_TOP;
    const below = at + rowHeight + MARGIN_BOTTOM - innerHeight;
    if (above < 0) scrollBy(0, above);
    else if (below > 0) scrollBy(0, below);
    wanted.current = index;
    look();
    focus();
  };
}

/** Whether rows take two lines. */
function useIsNarrow(): boolean {
  const [media] = useState(() => matchMedia("(max-width: 48rem)"));
  const [isNarrow, setNarrow] = useState(media.matches);
  useEffect(() => {
    const read = () => setNarrow(media.matches);
    media.addEventListener("change", read);
    return () => media.removeEventListener("change", read);
  }, []);
  return isNarrow;
}
