import { useEffect, useState } from "preact/hooks";
import type { Connection, ConnectionState } from "../connection.ts";
import { useStore } from "../store.ts";
import type { Tone } from "../ui/badge.tsx";
import { classes } from "../ui/classes.ts";
import { formatAge } from "../ui/format.ts";

const SAYINGS: Readonly<
  Record<ConnectionState["kind"] | "reconnecting", { tone: Tone; text: string }>
> = {
  connecting: { tone: "neutral", text: "Connecting" },
  reconnecting: { tone: "warn", text: "Reconnecting" },
  live: { tone: "ok", text: "Live" },
  unreachable: { tone: "bad", text: "Server unreachable" },
  away: { tone: "bad", text: "Redis is away" },
  unready: { tone: "bad", text: "Not ready" },
  degraded: { tone: "warn", text: "Partly away" },
};

const TICK_MS = 1_000;

/** The light in the header: how it stands, and when the server was last heard. */
export function Light({ connection }: { readonly connection: Connection }) {
  const state = useStore(connection.state);
  const stream = useStore(connection.stream);
  // the server answers, and what is on the page does not move all the same
  const kind = state.kind === "live" && stream === "broken" ? "reconnecting" : state.kind;
  const heardAt = useStore(connection.heardAt);
  const now = useNow();
  const { tone, text } = SAYINGS[kind];
  const heard = heardAt === undefined ? "never heard" : `heard ${formatAge(now - heardAt)}`;
  return (
    <div class="light" title={heardAt === undefined ? "" : `Last ${heard}`}>
      <span class={classes("dot", tone)} />
      <span role="status">{text}</span>
      {kind !== "live" && <span class="muted small nowrap heard">· {heard}</span>}
    </div>
  );
}

/** The browser's time, each second. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
