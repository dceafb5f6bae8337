import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { RawMessage } from "./raw_message.ts";
import { MessageRow } from "./message_row.tsx";
import type { TailRow } from "./tail_buffer.ts";

/** Rows for a {@link MessageList}, each at a place and under a number that stays. */
export interface RowSource {
  readonly length: number;
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
  const [, setTop] = useState(0);
  // a row that stays where it is seen while others go from the start
  const anchor = useRef({ number: 0, offset: 0 });
  const active = useRef<number | undefined>(undefined);

  const { height, row } = size;
  const most = Math.max(rows.length * row - height, 0);
  const { number, offset } = anchor.current;
  const kept = Math.max(rows.indexOf(number), 0) * row + (number < rows.numberAt(0) ? 0 : offset);
  const top = follows ? most : Math.min(kept, most);
  const first = Math.max(Math.floor(top / row) - SPARE, 0);
  const last = Math.min(Math.ceil((top + height) / row) + SPARE, rows.length);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (element !== null && Math.abs(element.scrollTop - top) >= 1) element.scrollTop = top;
  });

  const settle = (element: HTMLDivElement) => {
    const index = Math.floor(element.scrollTop / row);
    anchor.current = { number: rows.numberAt(index), offset: element.scrollTop - index * row };
    const isAtEnd = element.scrollTop + element.clientHeight >= rows.length * row - row / 2;
    if (isAtEnd !== follows) onFollow?.(isAtEnd);
    setTop(element.scrollTop);
  };

  const choose = (index: number) => {
    const element = scroller.current;
    const found = rows.at(index);
    if (element === null || found === undefined) return;
    active.current = rows.numberAt(index);
    if (found.kind === "message") props.onChoose(found.message);
    const start = index * row;
    if (start < element.scrollTop) element.scrollTop = start;
    else if (start + row > element.scrollTop + height) element.scrollTop = start + row - height;
    settle(element);
  };

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter" && chosen !== undefined) {
      event.preventDefault();
      return props.onEnter();
    }
    const at = active.current === undefined ? undefined : rows.indexOf(active.current);
    const to = target(event.key, { at, first, last, rows: rows.length, page: height / row });
    if (to === undefined) return;
    event.preventDefault();
    choose(to);
  };

  const indexes = Array.from({ length: Math.max(last - first, 0) }, (_, i) => first + i);
  const rowId = (number: number) => `${id}-${number}`;
  const activeIndex = active.current === undefined ? -1 : rows.indexOf(active.current);
  const isActiveSeen = activeIndex >= first && activeIndex < last;
  return (
    <div
      class="tl-list"
      ref={scroller}
      role="listbox"
      tabIndex={0}
      aria-label={label}
      aria-activedescendant={isActiveSeen ? rowId(rows.numberAt(activeIndex)) : undefined}
      onScroll={(event) => settle(event.currentTarget)}
      onKeyDown={onKeyDown}
    >
      <div class="tl-space" role="presentation" style={{ height: `${rows.length * row}px` }}>
        {indexes.map((index) => {
          const number = rows.numberAt(index);
          const found = rows.at(index);
          return found === undefined ? null : (
            <MessageRow
              key={number}
              id={rowId(number)}
              row={found}
              place={index + 1}
              places={rows.length}
              top={index * row}
              now={now}
              isChosen={found.kind === "message" && found.message === chosen}
              onClick={() => choose(index)}
            />
          );
        })}
      </div>
    </div>
  );
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
