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

function payload({ data, dataBase64 }: ShownMessage): string {
  if (dataBase64 !== undefined) return `base64 ${dataBase64}`;
  return typeof data === "string" ? data : JSON.stringify(data ?? null);
}

/** The text with its control characters escaped as in JSON. */
export function printable(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters are what it looks for
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => {
    const escaped = JSON.stringify(character).slice(1, -1);
    return escaped.length > 1 ? escaped : `\\u00${character.charCodeAt(0).toString(16)}`;
  });
}
