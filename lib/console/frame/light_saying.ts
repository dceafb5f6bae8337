import type { ConnectionState } from "../connection.ts";
import type { Tone } from "../ui/badge.tsx";

/** What the light in the header says. */
export interface LightSaying {
  readonly kind: ConnectionState["kind"] | "reconnecting" | "unconfigured";
  readonly tone: Tone;
  readonly text: string;
}

/** What {@link lightOf} goes by. */
export interface LightFacts {
  readonly kind: ConnectionState["kind"];
  readonly stream: "open" | "broken" | undefined;
  /** Why the server lets in nobody; undefined where it does. */
  readonly unconfigured: string | undefined;
}

const SAYINGS: Readonly<Record<LightSaying["kind"], { tone: Tone; text: string }>> = {
  connecting: { tone: "neutral", text: "Connecting" },
  reconnecting: { tone: "warn", text: "Reconnecting" },
  unconfigured: { tone: "warn", text: "Not configured" },
  live: { tone: "ok", text: "Live" },
  unreachable: { tone: "bad", text: "Server unreachable" },
  away: { tone: "bad", text: "Redis is away" },
  unready: { tone: "bad", text: "Not ready" },
  degraded: { tone: "warn", text: "Partly away" },
};

/** What the light says, and in which colour: green only where all that is shown moves. */
export function lightOf({ kind, stream, unconfigured }: LightFacts): LightSaying {
  const said = kind !== "live" ? kind : unconfigured !== undefined
    ? "unconfigured"
    // the server answers, and what is on the page does not move all the same
    : stream === "broken"
    ? "reconnecting"
    : kind;
  return { kind: said, ...SAYINGS[said] };
}
