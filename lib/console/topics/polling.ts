import { useEffect, useRef } from "preact/hooks";
import type { Range, TopicList } from "./topic_list.ts";

const EVERY_MS = 2_000;

/** Asks a list every two seconds for the rows that are seen, one request at a time, while the page is seen. */
export function usePolling(list: TopicList, seen: () => Range): void {
  const latest = useRef(seen);
  latest.current = seen;
  useEffect(() => {
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;
    const ask = async () => {
      clearTimeout(timer);
      if (isOver || isAsking || document.hidden) return;
      isAsking = true;
      const { isLoaded } = list.state.value;
      await (isLoaded ? list.refresh(latest.current()) : list.more());
      isAsking = false;
      if (!isOver) timer = setTimeout(ask, EVERY_MS);
    };
    void ask();
    document.addEventListener("visibilitychange", ask);
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", ask);
    };
  }, [list]);
}
