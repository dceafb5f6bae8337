import { ndjsonLine, ndjsonMessage } from "../codec/ndjson.ts";
import type { Delivery, MessageFormat, StoredMessage } from "../codec/message.ts";
import { sseEvent, sseMessage } from "../codec/sse.ts";
import type { BatchEncoder } from "./batch.ts";
import type { Gap } from "./page.ts";

/** Why a stream ends. */
export type ByeReason =
  | "limit"
  | "caught_up"
  | "time"
  | "shutdown"
  | "moved"
  | "auth_expired"
  | "auth_revoked";

/** Who a subscription is and where it starts; where a group's consumer starts is the group's matter. */
export type ReadyEvent =
  | { readonly subscription: string; readonly cursor: string }
  | { readonly subscription: string; readonly group: string; readonly consumer: string };

/** Writes a subscription's messages and system events in one format. */
export interface Encoder extends BatchEncoder {
  /** A message that was leased to a group's consumer. */
  leased(message: StoredMessage, delivery: Delivery): Uint8Array;
  /** The first event. */
  ready(event: ReadyEvent, retryMs: number): Uint8Array;
  /** Messages are gone; `cursor` is where to go on, where the gap itself decides that. */
  gap(gap: Gap, cursor?: string): Uint8Array;
  /** The credential that opened the stream ends in so many milliseconds. */
  expiring(inMs: number): Uint8Array;
  /** The last event. */
  bye(reason: ByeReason, retryMs: number): Uint8Array;
  /** Nothing happened, up to `cursor` where there is one. */
  heartbeat(cursor?: string): Uint8Array;
}

const text = new TextEncoder();

/** The member of a line that is the cursor after it; a payload alone has no place for it. */
const CURSOR: Readonly<Record<MessageFormat, string | undefined>> = {
  message: "cursor",
  data: undefined,
  cloudevents: "runnelcursor",
};

/** The encoders of Server-Sent Events. */
export const SSE: Readonly<Record<MessageFormat, Encoder>> = {
  message: sseEncoder("message"),
  data: sseEncoder("data"),
  cloudevents: sseEncoder("cloudevents"),
};

/** The encoders of newline-delimited JSON; a system event is a line with an `event` and no `topic` of a message. */
export const NDJSON: Readonly<Record<MessageFormat, Encoder>> = {
  message: ndjsonEncoder("message"),
  data: ndjsonEncoder("data"),
  cloudevents: ndjsonEncoder("cloudevents"),
};

function sseEncoder(format: MessageFormat): Encoder {
  return {
    messages: (messages) =>
      text.encode(
        messages.map((message: StoredMessage) => sseMessage(message, { format })).join(""),
      ),
    bodies: (messages) => messages.map((message) => sseMessage(message, { format, id: null })),
    withCursors: (bodies, cursors) =>
      text.encode(bodies.map((body, i) => `id: ${cursors[i]}\n${body}`).join("")),
    leased: (message, delivery) => text.encode(sseMessage(message, { format, delivery })),
    ready: (event, retry) => {
      const id = "cursor" in event ? { id: event.cursor } : {};
      return text.encode(sseEvent({ retry, event: "$ready", ...id, data: JSON.stringify(event) }));
    },
    gap: (gap, cursor) =>
      text.encode(sseEvent({
        event: "$gap",
        ...(cursor === undefined ? {} : { id: cursor }),
        data: JSON.stringify(gap),
      })),
    expiring: (inMs) =>
      text.encode(sseEvent({ event: "$auth-expiring", data: JSON.stringify({ in: inMs }) })),
    // EventSource obeys `retry:` alone
    bye: (reason, retryMs) =>
      text.encode(
        sseEvent({ retry: retryMs, event: "$bye", data: JSON.stringify({ reason, retryMs }) }),
      ),
    // a block with an id and no data fires no event but moves the browser's last event id
    heartbeat: (cursor) =>
      text.encode(sseEvent({ comment: "", ...(cursor === undefined ? {} : { id: cursor }) })),
  };
}

function ndjsonEncoder(format: MessageFormat): Encoder {
  const name = CURSOR[format];
  const line = (value: unknown) => text.encode(ndjsonLine(value));
  return {
    messages: (messages) =>
      text.encode(
        messages.map((message: StoredMessage) => ndjsonMessage(message, { format })).join(""),
      ),
    bodies: (messages) => messages.map((message) => ndjsonMessage(message, { format })),
    withCursors: (bodies, cursors) =>
      text.encode(
        bodies.map((body, i) =>
          name === undefined ? body : `${body.slice(0, -2)},"${name}":"${cursors[i]}"}\n`
        ).join(""),
      ),
    leased: (message, delivery) => text.encode(ndjsonMessage(message, { format, delivery })),
    ready: (event) => line({ event: "$ready", ...event }),
    gap: (gap, cursor) =>
      line({ event: "$gap", ...gap, ...(cursor === undefined ? {} : { cursor }) }),
    expiring: (inMs) => line({ event: "$auth-expiring", in: inMs }),
    bye: (reason, retryMs) => line({ event: "$bye", reason, retryMs }),
    heartbeat: (cursor) =>
      line({ event: "$heartbeat", ...(cursor === undefined ? {} : { cursor }) }),
  };
}
