import { useEffect, useState } from "preact/hooks";
import type { ServerClock } from "../server_clock.ts";

const TICK_MS = 1_000;

/** The server's time in milliseconds since 1970, each second. */
export function useServerTime(clock: ServerClock): number {
  const [now, setNow] = useState(() => clock.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(clock.now()), TICK_MS);
    return () => clearInterval(timer);
  }, [clock]);
  return now;
}
