import type { Api } from "./api.ts";
import type { Style, Terminal } from "./terminal.ts";

/** What every scene of the demo plays on. */
export interface DemoStage {
  readonly api: Api;
  readonly terminal: Terminal;
  /** Tells this run's messages from those of another. */
  readonly run: string;
  /** Messages of each publisher. */
  readonly count: number;
  readonly everyMs: number;
}

/** Sends JSON to the server and resolves with its answer, null where it has none. */
export async function call(
  { api }: DemoStage,
  path: string,
  { method = "POST", body }: { method?: string; body?: unknown } = {},
): Promise<unknown> {
  const response = await api.send(path, {
    method,
    headers: { "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return text === "" ? null : JSON.parse(text);
}

/** Says what somebody does. */
export function say({ terminal }: DemoStage, who: string, style: Style, what: string): void {
  terminal.out(`${terminal.style(style, who.padEnd(5))} ${what}`);
}
