import { childrenAt, type Span } from "./raw_json.ts";

/** A message as it came: its payload is not parsed. */
export interface RawMessage {
  /** Null for an ephemeral message. */
  readonly id: string | null;
  readonly topic: string;
  /** When it was published, in milliseconds since 1970 on the server's clock. */
  readonly time: number;
  readonly type?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
  readonly replyTo?: string;
  /** Whether the payload is binary, which stands there as a string of base64. */
  readonly isBinary: boolean;
  /** Where the payload stands in the text. */
  readonly payload: Span;
  /** Where that begins which somebody may look for: what comes after id, topic and time. */
  readonly own: number;
  /** The whole message as JSON. */
  readonly text: string;
}

/** The fields that are small, and read as they are. */
interface SmallFields {
  id?: string | null;
  topic?: string;
  time?: string;
  type?: string;
  key?: string;
  headers?: Record<string, string>;
  contentType?: string;
  replyTo?: string;
}

const SMALL: ReadonlySet<string> = new Set<keyof SmallFields>([
  "id",
  "topic",
  "time",
  "type",
  "key",
  "headers",
  "contentType",
  "replyTo",
]);
const HEAD: ReadonlySet<string> = new Set(["id", "topic", "time"]);

/**
 * Reads a message's JSON, all but its payload.
 *
 * @throws {SyntaxError} where it is no message
 */
export function readMessage(text: string): RawMessage {
  const fields: SmallFields = {};
  let payload: Span | undefined;
  let isBinary = false;
  let own: number | undefined;
  for (const { key, value } of childrenAt(text, 0)) {
    if (key === undefined) break;
    const name = text.slice(key.start + 1, key.end - 1);
    if (!HEAD.has(name)) own ??= key.start;
    if (name === "data" || name === "dataBase64") {
      payload = value;
      isBinary = name === "dataBase64";
    } else if (SMALL.has(name)) {
      // the server wrote them, each with its type
      Object.assign(fields, { [name]: JSON.parse(text.slice(value.start, value.end)) });
    }
  }
  const { id = null, topic, time, ...rest } = fields;
  if (topic === undefined || time === undefined || payload === undefined) {
    throw new SyntaxError("Cannot read a message: it lacks a topic, a time or a payload");
  }
  return {
    id,
    topic,
    time: Date.parse(time),
    ...rest,
    isBinary,
    payload,
    own: own ?? payload.start,
    text,
  };
}

/** A message's payload as it stands in its JSON. */
export function payloadText({ text, payload }: RawMessage): string {
  return text.slice(payload.start, payload.end);
}

/** How many bytes a binary payload has. */
export function binarySize({ text, payload: { start, end } }: RawMessage): number {
  const length = end - start - 2;
  const padding = text.endsWith("==", end - 1) ? 2 : text.endsWith("=", end - 1) ? 1 : 0;
  return length / 4 * 3 - padding;
}

/** A binary payload, or its first `most` bytes. */
export function binaryPayload({ text, payload: { start, end } }: RawMessage, most = Infinity) {
  const last = Math.min(end - 1, start + 1 + Math.ceil(most / 3) * 4);
  const bytes = Uint8Array.from(atob(text.slice(start + 1, last)), (c) => c.charCodeAt(0));
  return bytes.subarray(0, most);
}

/** The messages of a page of history, and where the next one goes on. */
export function readPage(text: string): { messages: RawMessage[]; next?: string } {
  const messages: RawMessage[] = [];
  let next: string | undefined;
  for (const { key, value } of childrenAt(text, 0)) {
    const name = key === undefined ? "" : text.slice(key.start + 1, key.end - 1);
    if (name === "next") next = JSON.parse(text.slice(value.start, value.end));
    if (name !== "messages") continue;
    for (const { value: one } of childrenAt(text, value.start)) {
      messages.push(readMessage(text.slice(one.start, one.end)));
    }
  }
  return next === undefined ? { messages } : { messages, next };
}
