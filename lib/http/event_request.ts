import {
  checkEvent,
  type CloudEvent,
  EVENT_BATCH_TYPE,
  EVENT_TYPE,
  type EventPayload,
  isJsonEventType,
  memberPointer,
  parseEvent,
} from "../codec/cloud_event.ts";
import { parseJson } from "../codec/json.ts";
import { mediaType, payloadOf } from "../codec/payload.ts";
import { RunnelError } from "../errors.ts";
import { readBytes, type ReadBytesOptions } from "./body.ts";
import { headerText } from "./query.ts";

/** How a request carries CloudEvents: one in its headers, one as JSON, or many as a JSON array. */
export type EventMode = "binary" | "structured" | "batch";

const PREFIX = "ce-";

/** How a request carries CloudEvents, undefined where it carries none. */
export function eventMode({ headers }: Request): EventMode | undefined {
  const type = mediaType(headers.get("content-type"));
  if (type.startsWith("application/cloudevents")) {
    if (type === EVENT_TYPE) return "structured";
    if (type === EVENT_BATCH_TYPE) return "batch";
  }
  return headers.has("ce-specversion") || headers.has("ce-id") ? "binary" : undefined;
}

/** Where an attribute stands in a request, for what is said of it. */
export function eventPointer(mode: Exclude<EventMode, "batch">): (name: string) => string {
  return mode === "structured" ? memberPointer : headerPointer;
}

function headerPointer(name: string): string {
  if (name === "data") return "#";
  return name === "datacontenttype" ? "content-type" : PREFIX + name;
}

/**
 * The one event that a request carries.
 *
 * @throws {RunnelError} `invalid_request` with a pointer to each attribute at fault, `invalid_json`, and what
 * {@link readBytes} throws.
 */
export async function readEvent(
  request: Request,
  { mode, ...options }: ReadBytesOptions & { mode: Exclude<EventMode, "batch"> },
): Promise<CloudEvent> {
  const bytes = await readBytes(request, options);
  return mode === "structured" ? parseEvent(parseJson(bytes)) : eventOf(request.headers, bytes);
}

function eventOf(headers: Headers, bytes: Uint8Array): CloudEvent {
  const attributes = new Map<string, unknown>();
  for (const [header, value] of headers) {
    if (header.startsWith(PREFIX)) {
      attributes.set(header.slice(PREFIX.length), decode(value, header));
    }
  }
  if (attributes.has("datacontenttype")) {
    throw fault("ce-datacontenttype", "The header content-type says it");
  }
  const type = headers.get("content-type")?.trim() ?? "";
  if (type !== "") attributes.set("datacontenttype", type);
  return checkEvent({ attributes, payload: dataOf(bytes, type), pointerOf: headerPointer });
}

function dataOf(bytes: Uint8Array, contentType: string): EventPayload {
  if (bytes.length === 0) return {};
  if (isJsonEventType(contentType)) return { data: parseJson(bytes) };
  const { contentType: _kept, ...payload } = payloadOf(bytes, contentType);
  return payload;
}

const QUOTED = /^"(?:[^"\\]|\\.)*"$/s;

/** A header's value as the binding wants it: unquoted, then percent-decoded once. */
function decode(value: string, header: string): string {
  const text = headerText(value);
  if (text === undefined) throw fault(header, "Must be UTF-8, percent-encoded");
  const bare = QUOTED.test(text) ? text.slice(1, -1).replace(/\\(.)/gs, "$1") : text;
  if (!bare.includes("%")) return bare;
  try {
    return decodeURIComponent(bare);
  } catch {
    throw fault(header, "Must be percent-encoded UTF-8, with % itself as %25");
  }
}

function fault(pointer: string, detail: string): RunnelError {
  return new RunnelError("invalid_request", `${pointer}: ${detail}`, {
    errors: [{ pointer, detail }],
  });
}
