import type { Terminal } from "./terminal.ts";

/** How far an upload is. */
export interface Progress {
  /** Bytes of the input whose messages were answered. */
  readonly bytes: number;
  /** Bytes of the whole input, where that is known. */
  readonly totalBytes: number | undefined;
  /** Messages that were answered. */
  readonly messages: number;
  readonly elapsedMs: number;
}

const REDRAW_MS = 100;
const PLAIN_EVERY_MS = 5_000;

/** Shows progress: a bar that is redrawn where a person looks, else a plain line now and then. */
export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #totalBytes: number | undefined;
  readonly #startedAt = performance.now();
  #shownAt = performance.now();

  constructor(terminal: Terminal, totalBytes: number | undefined) {
    this.#terminal = terminal;
    this.#totalBytes = totalBytes;
  }

  /** Takes new counts, and shows them if the last ones have been seen for long enough. */
  update(bytes: number, messages: number): void {
    const now = performance.now();
    const { interactive, columns } = this.#terminal;
    if (now - this.#shownAt < (interactive ? REDRAW_MS : PLAIN_EVERY_MS)) return;
    this.#shownAt = now;
    const elapsedMs = now - this.#startedAt;
    const progress = { bytes, messages, elapsedMs, totalBytes: this.#totalBytes };
    if (interactive) this.#terminal.status(progressLine(progress, columns));
    else this.#terminal.err(progressLine(progress, 0));
  }

  /** Takes the bar away. */
  end(): void {
    this.#terminal.status("");
  }
}

/** The progress as one line that fits the columns; without room for a bar, figures alone. */
export function progressLine(progress: Progress, columns: number): string {
  const { bytes, totalBytes, messages, elapsedMs } = progress;
  const share = totalBytes === undefined ? undefined : Math.min(1, bytes / Math.max(1, totalBytes));
  const left = share ? (elapsedMs / share) * (1 - share) : undefined;
  const figures = [
    ...(share === undefined ? [] : [`${Math.floor(share * 100)} %`]),
    totalBytes === undefined ? size(bytes) : `${size(bytes)} of ${size(totalBytes)}`,
    messageCount(messages),
    `${count((messages / Math.max(1, elapsedMs)) * 1_000)}/s`,
    ...(left === undefined ? [] : [`${duration(left)} left`]),
  ].join("  ");
  const room = Math.min(30, columns - figures.length - 4);
  if (share === undefined || room < 5) {
    return columns > 0 ? figures.slice(0, columns - 1) : figures;
  }
  const filled = Math.round(share * room);
  return `[${"█".repeat(filled)}${"░".repeat(room - filled)}] ${figures}`;
}

/** A number of bytes for people, such as `25.1 MB`. */
export function size(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  for (; value >= 1_000 && unit < units.length - 1; unit++) value /= 1_000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A number for people, such as `12,345`. */
export function count(number: number): string {
  return Math.round(number).toLocaleString("en-US");
}

/** A number of messages, such as `1 message` or `1,999 messages`. */
export function messageCount(number: number): string {
  return `${count(number)} ${number === 1 ? "message" : "messages"}`;
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
}
