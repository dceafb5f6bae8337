import type { RefObject } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Range } from "./topic_list.ts";

/** Rows above and below those that are seen, for a scroll that is quicker than the drawing. */
const BEYOND = 8;

/** What is seen of many rows of one height. */
export interface RowsInView {
  readonly count: number;
  /** In pixels. */
  readonly rowHeight: number;
}

/** Which rows lie in a window of some height that begins `top` pixels below the first of them. */
export function rangeAt(
  { top, height }: { readonly top: number; readonly height: number },
  { count, rowHeight }: RowsInView,
): Range {
  const start = Math.min(Math.max(Math.floor(top / rowHeight) - BEYOND, 0), count);
  const end = Math.max(Math.ceil((top + height) / rowHeight) + BEYOND, start);
  return { start, end: Math.min(end, count) };
}

/** Follows which of an element's rows are seen while the page is scrolled; the function looks at once. */
export function useVisibleRange(
  element: RefObject<HTMLElement | null>,
  { count, rowHeight }: RowsInView,
): readonly [Range, () => void] {
  const [range, setRange] = useState<Range>({ start: 0, end: 0 });
  const look = useCallback(() => {
    const box = element.current?.getBoundingClientRect();
    if (box === undefined) return;
    const seen = rangeAt({ top: -box.top, height: innerHeight }, { count, rowHeight });
    setRange((last) => last.start === seen.start && last.end === seen.end ? last : seen);
  }, [count, rowHeight]);
  useEffect(() => {
    look();
    let frame: number | undefined;
    const later = () => {
      frame ??= requestAnimationFrame(() => {
        frame = undefined;
        look();
      });
    };
    addEventListener("scroll", later, { passive: true });
    addEventListener("resize", later);
    // what stands above the rows may grow
    const observer = new ResizeObserver(later);
    observer.observe(document.body);
    return () => {
      if (frame !== undefined) cancelAnimationFrame(frame);
      removeEventListener("scroll", later);
      removeEventListener("resize", later);
      observer.disconnect();
    };
  }, [look]);
  return [range, look];
}
