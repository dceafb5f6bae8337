import { useEffect, useState } from "preact/hooks";
import type { Connection } from "../connection.ts";
import { useStore } from "../store.ts";
import { classes } from "../ui/classes.ts";
import { formatAge } from "../ui/format.ts";
import { lightOf } from "./light_saying.ts";

const TICK_MS = 1_000;

/** The light in the header: how it stands, and when the server was last heard. */
export function Light({ connection }: { readonly connection: Connection }) {
  const state = useStore(connection.state);
  const stream = useStore(connection.stream);
  const unconfigured = useStore(connection.unconfigured);
  const heardAt = useStore(connection.heardAt);
  const now = useNow();
  const { kind, tone, text } = lightOf({ kind: state.kind, stream, unconfigured });
  const heard = `server ${
    heardAt === undefined ? "never heard" : `heard ${formatAge(now - heardAt)}`
  }`;
  return (
    <div class="light" title={unconfigured ?? heard}>
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
