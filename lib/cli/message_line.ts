import { ageOf } from "./age.ts";
import { printable } from "./printable.ts";
import { size } from "./progress.ts";
import type { Terminal } from "./terminal.ts";

/** A message as a subscriber gets it, as far as the CLI shows it. */
export interface ShownMessage {
  readonly id: string | null;
  readonly topic: string;
  readonly time: string;
  readonly type?: string;
  readonly data?: unknown;
  readonly dataBase64?: string;
}

/** A message as one line for a person. Control characters in it are escaped: data must not move the cursor. */
export function messageLine(message: ShownMessage, terminal: Terminal): string {
  const { time, topic, id, type } = message;
  const parts = [
    terminal.style("dim", time.slice(11, 23)),
    terminal.style("cyan", printable(topic)),
    terminal.style("dim", id ?? "-"),
    ...(type === undefined ? [] : [terminal.style("yellow", printable(type))]),
    printable(payload(message)),
  ];
  return parts.join("  ");
}

/** Most characters of a payload on a screen: a large one would push away everything else. */
const SHOWN = 2_000;

/**
 * A message as one line on a screen: how long ago, in place of when.
 *
 * @param now The time of the server's clock, in milliseconds.
 */
export function screenLine(message: ShownMessage, terminal: Terminal, now: number): string {
  const { topic, id, type } = message;
  const age = ageOf(now - Date.parse(message.time)).padStart(7);
  const parts = [
    terminal.style("dim", age),
    terminal.style("cyan", printable(topic)),
    ...(type === undefined ? [] : [terminal.style("yellow", printable(type))]),
    shortened(payload(message), terminal),
    terminal.style("dim", id ?? "not stored"),
  ];
  return parts.join("  ");
}

function shortened(text: string, { style }: Terminal): string {
  if (text.length <= SHOWN) return printable(text);
  const bytes = new TextEncoder().encode(text).length;
  return `${printable(text.slice(0, SHOWN))}${style("dim", `… ${size(bytes)} in all`)}`;
}

function payload({ data, dataBase64 }: ShownMessage): string {
  if (dataBase64 !== undefined) return `base64 ${dataBase64}`;
  return typeof data === "string" ? data : JSON.stringify(data ?? null);
}
