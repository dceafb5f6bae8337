import { useEffect, useState } from "preact/hooks";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import type { Tail, TailState } from "./tail.ts";

/** How it stands with the tail's stream, in a word. */
export function TailLight({ tail, isAway }: {
  readonly tail: Tail;
  /** Whether the server says that it cannot read the topic now. */
  readonly isAway: boolean;
}) {
  const { state } = tail;
  const { tone, text } = describe(state, { isPaused: tail.isPaused, isAway });
  return (
    <div class="tl-light">
      <span class={classes("dot", tone)} />
      <span role="status">{text}</span>
      {state.kind === "waiting" && (
        <>
          <Countdown to={state.retryAt} />
          <Button size="small" onClick={() => tail.retry()}>Try now</Button>
        </>
      )}
    </div>
  );
}

function Countdown({ to }: { readonly to: number }) {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.ceil((to - now) / 1000);
  return <span class="muted number">{seconds > 0 ? `again in ${seconds} s` : "now"}</span>;
}

function describe(
  { kind }: TailState,
  { isPaused, isAway }: { isPaused: boolean; isAway: boolean },
): { tone: string; text: string } {
  switch (kind) {
    case "connecting":
      return { tone: "", text: "Connecting" };
    case "waiting":
      return { tone: "bad", text: "Not connected" };
    case "closed":
      return { tone: "bad", text: "Ended" };
    case "live":
      if (isAway) return { tone: "warn", text: "Waiting for Redis" };
      return isPaused ? { tone: "warn", text: "Paused" } : { tone: "ok", text: "Live" };
  }
}
