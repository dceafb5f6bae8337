import type { Connection, ConnectionState } from "../connection.ts";
import { useStore } from "../store.ts";

/** Says below the header what is wrong for as long as it is, and what that means for what is shown. */
export function Trouble({ connection }: { readonly connection: Connection }) {
  const state = useStore(connection.state);
  const what = troubleOf(state);
  if (what === undefined) return null;
  return (
    <div class={state.kind === "degraded" ? "trouble warn" : "trouble bad"} role="alert">
      {what}
    </div>
  );
}

function troubleOf(state: ConnectionState): string | undefined {
  if (state.kind === "live" || state.kind === "connecting") return undefined;
  if (state.kind === "degraded") return `${state.detail}. All else works.`;
  const what = state.kind === "unreachable" ? "The server does not answer" : state.detail;
  return `${what}. You see what was known last; this page goes on by itself.`;
}
