import { eventJson } from "./event_message.ts";
import {
  type Delivery,
  type MessageFormat,
  messageJson,
  messageType,
  parseBody,
  type StoredMessage,
  typeProblem,
} from "./message.ts";

/** One block of an event stream. Without `data` it fires no event; an `id` alone still moves the browser's last event id. */
export interface SseEvent {
  /** The event's name; without it a browser calls `onmessage`. */
  readonly event?: string;
  /** The payload; each of its lines becomes a `data:` line. */
  readonly data?: string;
  /** What the client sends back as `Last-Event-ID`. */
  readonly id?: string;
  /** How long the client waits before it connects again, in milliseconds. */
  readonly retry?: number;
  /** A line that clients ignore. */
  readonly comment?: string;
}

/** Options of {@link sseMessage}. */
export interface SseMessageOptions {
  /** The whole message as JSON, its payload alone, or a CloudEvent as JSON. @default "message" */
  readonly format?: MessageFormat;
  /** The cursor after this message; null leaves it out. @default the message's own id */
  readonly id?: string | null;
  /** What a group's consumer is told beside the message, unless it gets the payload alone. */
  readonly delivery?: Delivery;
}

/** The media type of an event stream. */
export const SSE_TYPE = "text/event-stream";

/**
 * Writes one block of an event stream, its blank line included.
 *
 * @throws {TypeError} `event` or `id` contains CR, LF or NUL, or `retry` is not a whole number: it would break the stream.
 */
export function sseEvent(event: SseEvent): string {
  let block = "";
  if (event.comment !== undefined) block += lines(":", event.comment);
  if (event.retry !== undefined) block += `retry: ${wholeNumber(event.retry)}\n`;
  if (event.event !== undefined) block += `event: ${oneLine(event.event, "event")}\n`;
  if (event.id !== undefined) block += `id: ${oneLine(event.id, "id")}\n`;
  if (event.data !== undefined) block += lines("data:", event.data);
  return block === "" ? "" : `${block}\n`;
}

/**
 * Writes a stored message as one block. Its `type` is the event's name, unless somebody wrote it into Redis past
 * Runnel's checks: such a type is left out of the stream's own lines.
 *
 * @throws {TypeError} The given `id` contains CR, LF or NUL.
 */
export function sseMessage(stored: StoredMessage, options: SseMessageOptions = {}): string {
  const { format = "message", id = stored.id, delivery } = options;
  const type = messageType(stored.body);
  return sseEvent({
    ...(type === undefined || typeProblem(type) !== undefined ? {} : { event: type }),
    ...(id === null ? {} : { id }),
    data: dataOf(stored, { format, delivery }),
  });
}

function dataOf(
  stored: StoredMessage,
  { format, delivery }: { format: MessageFormat; delivery: Delivery | undefined },
): string {
  if (format === "message") return messageJson(stored, delivery);
  return format === "data" ? payloadText(stored.body) : eventJson(stored, delivery);
}

/** The payload as text: a string as it is, a binary one in base64, anything else as JSON. */
function payloadText(body: string): string {
  const { data, dataBase64 } = parseBody(body);
  if (typeof dataBase64 === "string") return dataBase64;
  return typeof data === "string" ? data : JSON.stringify(data ?? null);
}

function lines(field: string, text: string): string {
  if (!text.includes("\n") && !text.includes("\r")) return `${field} ${text}\n`;
  return text.split(/\r\n|\r|\n/).map((line) => `${field} ${line}\n`).join("");
}

function oneLine(text: string, field: string): string {
  if (text.includes("\n") || text.includes("\r") || text.includes("\0")) {
    throw new TypeError(`Cannot write the ${field} of an event: it contains CR, LF or NUL`);
  }
  return text;
}

function wholeNumber(value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new TypeError(`Cannot write a retry time: current value is ${value}`);
}
