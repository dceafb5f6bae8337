import { useEffect, useId, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import { classes } from "../ui/classes.ts";
import { useKeys } from "../ui/keys.ts";
import type { RawMessage } from "./raw_message.ts";
import { MessageRow } from "./message_row.tsx";
import type { TailRow } from "./tail_buffer.ts";

/** Rows for a {@link MessageList}, each at a place and under a number that stays. */
export interface RowSource {
  readonly length: number;
  /** How many rows there were before the first one, and are gone. */
  readonly shift: number;
  at(index: number): TailRow | undefined;
  numberAt(index: number): number;
  /** The place of a row, or where it would be. */
  indexOf(number: number): number;
}

/** What {@link MessageList} takes. */
export interface MessageListProps {
  readonly rows: RowSource;
  /** What it holds, for whoever cannot see it. */
  readonly label: string;
  /** The server's time in milliseconds since 1970. */
  readonly now: number;
  /** The message that is looked at; its row is marked. */
  readonly chosen: RawMessage | undefined;
  readonly onChoose: (message: RawMessage) => void;
  /** Called where somebody wants to go on into the chosen message. */
  readonly onEnter: () => void;
  /** Whether it keeps to its end as rows come; {@link onFollow} is called when it begins or ceases to. @default false */
  readonly follows?: boolean;
  readonly onFollow?: (follows: boolean) => void;
}

/** Rows beyond those that are seen, so that scrolling shows no hole. */
const SPARE = 8;
const DEFAULT_ROW = 30;

interface Size {
  readonly height: number;
  readonly row: number;
}

/** Thousands of messages, of which only those that are seen are in the page. */
export function MessageList(props: MessageListProps) {
  const { rows, label, now, chosen, follows = false, onFollow } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const size = useSize(scroller);
  const [, renderAgain] = useReducer((count: number) => count + 1, 0);
  // the row at the upper edge stays there while others go from the start
  const anchor = useRef({ place: 0, offset: 0 });
  const active = useRef<number | undefined>(undefined);
  const scrolledTo = useRef(0);

  const { height, row } = size;
  const { shift } = rows;
  const most = Math.max(rows.length * row - height, 0);
  const kept = (anchor.current.place - shift) * row + anchor.current.offset;
  const top = follows ? most : Math.min(Math.max(kept, 0), most);
  const first = Math.max(Math.floor(top / row) - SPARE, 0);
  const last = Math.min(Math.ceil((top + height) / row) + SPARE, rows.length);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element === null || height === 0) return;
    if (Math.abs(element.scrollTop - top) >= 1) element.scrollTop = top;
    scrolledTo.current = element.scrollTop;
  });

  // rows may have gone since the rendering: what is on the screen is where they were then
  const keepTop = (pixels: number) => {
    const index = Math.floor(pixels / row);
    anchor.current = { place: shift + index, offset: pixels - index * row };
  };

  const onScroll = ({ currentTarget: element }: { readonly currentTarget: HTMLElement }) => {
    if (Math.abs(element.scrollTop - scrolledTo.current) < 1) return;
    scrolledTo.current = element.scrollTop;
    keepTop(element.scrollTop);
    const isAtEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - row / 2;
    if (isAtEnd !== follows) onFollow?.(isAtEnd);
    renderAgain(0);
  };

  const choose = (number: number) => {
    const found = rows.at(rows.indexOf(number));
    if (found === undefined) return;
    active.current = number;
    if (found.kind === "message") props.onChoose(found.message);
    const start = (rows.indexOf(number) + rows.shift - shift) * row;
    keepTop(start < top ? start : Math.max(top, start + row - height));
    if (follows) onFollow?.(false);
    renderAgain(0);
  };

  const move = (key: string): boolean => {
    const at = active.current === undefined ? undefined : rows.indexOf(active.current);
    const to = target(key, { at, first, last, rows: rows.length, page: height / row });
    if (to === undefined) return false;
    choose(rows.numberAt(to));
    return true;
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && chosen !== undefined) {
      event.preventDefault();
      return props.onEnter();
    }
    if (!move(event.key)) return;
    event.preventDefault();
    if (event.key === "End") onFollow?.(true);
  };

  const step = (key: string) => {
    if (move(key)) scroller.current?.focus();
  };
  useKeys({ j: () => step("ArrowDown"), k: () => step("ArrowUp") });

  const indexes = Array.from({ length: Math.max(last - first, 0) }, (_, i) => first + i);
  const pool = Math.ceil(height / row) + 2 * SPARE + 2;
  const columns = useRef({ types: false, keys: false });
  noteColumns(columns.current, indexes.map((index) => rows.at(index)));
  const { types, keys } = columns.current;
  const rowId = (number: number) => `${id}-${number}`;
  const activeIndex = active.current === undefined ? -1 : rows.indexOf(active.current);
  const isActiveSeen = activeIndex >= first && activeIndex < last;
  return (
    <div
      class={classes("tl-list", types && "with-types", keys && "with-keys")}
      ref={scroller}
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={isActiveSeen ? rowId(rows.numberAt(activeIndex)) : undefined}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div class="tl-space" role="presentation" style={{ height: `${rows.length * row}px` }}>
        {indexes.map((index) => {
          const number = rows.numberAt(index);
          const found = rows.at(index);
          return found === undefined ? null : (
            <MessageRow
              // elements are used again: at high rates each rendering has other rows
              key={(shift + index) % pool}
              id={rowId(number)}
              row={found}
              place={index + 1}
              places={rows.length}
              top={index * row}
              height={row}
              now={now}
              isChosen={found.kind === "message" && found.message === chosen}
              onClick={() => choose(number)}
            />
          );
        })}
      </div>
    </div>
  );
}

/** A column stays that was there once, so that nothing jumps to and fro. */
function noteColumns(
  columns: { types: boolean; keys: boolean },
  rows: readonly (TailRow | undefined)[],
): void {
  for (const row of rows) {
    if (row?.kind !== "message") continue;
    columns.types ||= row.message.type !== undefined;
    columns.keys ||= row.message.key !== undefined;
  }
}

function target(
  key: string,
  { at, first, last, rows, page }: {
    at: number | undefined;
    first: number;
    last: number;
    rows: number;
    page: number;
  },
): number | undefined {
  const from = at ?? (key === "ArrowUp" ? last : Math.max(first - 1, -1));
  const step = Math.max(Math.floor(page) - 1, 1);
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + step,
    PageUp: from - step,
    Home: 0,
    End: rows - 1,
  };
  const to = steps[key];
  return to === undefined || rows === 0 ? undefined : Math.min(Math.max(to, 0), rows - 1);
}

function useSize(scroller: { readonly current: HTMLDivElement | null }): Size {
  const [size, setSize] = useState<Size>({ height: 0, row: DEFAULT_ROW });
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const measure = () => {
      const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
      const rems = parseFloat(getComputedStyle(element).getPropertyValue("--tl-row"));
      const row = Math.round(rem * rems) || DEFAULT_ROW;
      const height = element.clientHeight;
      setSize((last) => last.height === height && last.row === row ? last : { height, row });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller]);
  return size;
}
