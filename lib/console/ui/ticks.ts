import { useEffect, useState } from "preact/hooks";

/** Renders a component again every so many milliseconds while the page is seen, and when it is seen again. */
export function useTicks(everyMs: number): void {
  const [, setTick] = useState(0);
  useEffect(() => {
    const tick = () => {
      if (!document.hidden) setTick((last) => last + 1);
    };
    const timer = setInterval(tick, everyMs);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, [everyMs]);
}
