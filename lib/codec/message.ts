import { parseJsonText, writeJson } from "./json.ts";

/** What a publisher set beside topic and time; exactly one of `data` and `dataBase64` is there. */
export interface MessageFields {
  /** The payload, any JSON value; absent for a binary one. */
  readonly data?: unknown;
  /** A binary payload in base64. */
  readonly dataBase64?: string | undefined;
  /** The name of the SSE event; see {@link typeProblem}. */
  readonly type?: string | undefined;
  readonly key?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The payload's media type, where it is not JSON's. */
  readonly contentType?: string | undefined;
  /** Where an answer to this message goes. */
  readonly replyTo?: string | undefined;
}

/** A message as it is stored: its fields are still JSON text, so that delivering it parses nothing. */
export interface StoredMessage {
  /** The id as text; null for an ephemeral message, which has none. */
  readonly id: string | null;
  readonly topic: string;
  /** When it was published, in milliseconds since 1970 on Redis's clock. */
  readonly time: number;
  /** What {@link messageBody} made. */
  readonly body: string;
  /** From when on it must not be delivered, in milliseconds since 1970 on Redis's clock. */
  readonly expires?: number;
  /** Its key; only where it was read from its topic's stream. */
  readonly key?: string;
}

/** What a group's consumer is told of a message beside the message itself. */
export interface Delivery {
  /** How often it was given to a consumer, this time included. */
  readonly deliveries: number;
  /** What holds it, where each message has to say so by itself. */
  readonly lease?: string;
  /** Until when, in milliseconds since 1970 on Redis's clock. */
  readonly leaseUntil?: number;
}

/** Most characters of a message's `type`. */
export const TYPE_MOST = 256;

/** How a message is delivered: the whole of it, its payload alone, or as a CloudEvent. */
export type MessageFormat = "message" | "data" | "cloudevents";

/**
 * The stored form of a message's fields: a JSON object without id, topic and time. `type` stands first, where
 * {@link messageType} finds it without parsing.
 *
 * @throws {RunnelError} `invalid_request` for data nested too deeply for this engine.
 */
export function messageBody(fields: MessageFields): string {
  const { type, key, headers, contentType, replyTo, dataBase64 } = fields;
  if ((type ?? key ?? headers ?? contentType ?? replyTo ?? dataBase64) === undefined) {
    return `{"data":${writeJson(fields.data ?? null)}}`;
  }
  const payload = dataBase64 === undefined ? { data: fields.data ?? null } : { dataBase64 };
  return writeJson({ type, key, headers, contentType, replyTo, ...payload });
}

/** What {@link messageBody} stored, with every number as it was written. */
export function parseBody(body: string): MessageFields {
  // Runnel wrote it
  return parseJsonText(body) as MessageFields;
}

/** The message as the JSON a subscriber gets, made by joining texts. */
export function messageJson(stored: StoredMessage, delivery?: Delivery): string {
  const { id, topic, time, body } = stored;
  const head = `{"id":${id === null ? "null" : `"${id}"`},"topic":${
    JSON.stringify(topic)
  },"time":"`;
  const extra = delivery === undefined ? "" : deliveryJson(delivery);
  return `${head}${isoTime(time)}"${extra}${body.length > 2 ? "," : ""}${body.slice(1)}`;
}

function deliveryJson({ deliveries, lease, leaseUntil }: Delivery): string {
  const by = lease === undefined ? "" : `,"lease":${JSON.stringify(lease)}`;
  const until = leaseUntil === undefined
    ? ""
    : `,"leaseUntil":"${new Date(leaseUntil).toISOString()}"`;
  return `,"deliveries":${deliveries}${by}${until}`;
}

/** The `type` in a stored body, undefined where it has none. */
export function messageType(body: string): string | undefined {
  if (!body.startsWith(TYPE_START)) return undefined;
  const start = TYPE_START.length - 1;
  let end = body.indexOf('"', start + 1);
  while (end > 0 && escaped(body, end)) end = body.indexOf('"', end + 1);
  if (end < 0) return undefined;
  const text = body.slice(start + 1, end);
  return text.includes("\\") ? JSON.parse(body.slice(start, end + 1)) : text;
}

/** Why a text cannot be a message's `type`, undefined when it can: it becomes the name of a browser event. */
export function typeProblem(type: string): string | undefined {
  if (type === "") return "Must not be empty";
  if (!type.isWellFormed()) return "Must not contain half a surrogate pair";
  if (type.length > TYPE_MOST) return `Must have at most ${TYPE_MOST} characters`;
  // deno-lint-ignore no-control-regex -- control characters are what it looks for
  if (/[\x00-\x1f\x7f]/.test(type)) return "Must not contain control characters";
  if (type.startsWith("$")) return "Must not start with $, which is reserved for the system";
  if (RESERVED_TYPES.has(type)) {
    return "Must not be open, error or message, which browsers fire themselves";
  }
  return undefined;
}

const TYPE_START = '{"type":"';
const RESERVED_TYPES = new Set(["open", "error", "message"]);

function escaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === "\\") backslashes++;
  return backslashes % 2 === 1;
}

let lastTime = 0;
let lastIso = "1970-01-01T00:00:00.000Z";

/** Messages come in bursts of one millisecond, and formatting a date costs more than the rest of the line. */
function isoTime(ms: number): string {
  if (ms !== lastTime) {
    lastIso = new Date(ms).toISOString();
    lastTime = ms;
  }
  return lastIso;
}
