import { createHash } from "node:crypto";
import { z } from "zod";
import { messageBody, type MessageFields } from "../codec/message.ts";
import { withoutTraceparent } from "../codec/traceparent.ts";
import type { OutgoingReply } from "../redis/request_store.ts";
import { payloadFields, requireOnePayload, shortText, topicField } from "./message_fields.ts";
import type { PreparedMessage } from "./publish_input.ts";

/** How long a request may wait, in milliseconds. */
const TIMEOUT_MOST_MS = 600_000;
const TIMEOUT_MS = 30_000;
/** How many replies a request may wait for. */
const REPLIES_MOST = 1_000;
const INBOX = "$inbox.";
const ADDRESS = /^\$inbox\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** A request as a requester sends it. */
export const requestSchema = z.strictObject({
  ...payloadFields,
  topic: topicField,
  key: shortText.optional(),
  timeoutMs: z.int().min(1).max(TIMEOUT_MOST_MS).default(TIMEOUT_MS).meta({
    description: "How long it waits for replies, in milliseconds.",
  }),
  replies: z.int().min(1).max(REPLIES_MOST).optional().meta({
    description: "Wait for so many replies, which come as a list. Without it, for the first one.",
  }),
}).superRefine(requireOnePayload).meta({ id: "Request" });

/** A request as a requester sent it, checked. */
export type RequestInput = z.infer<typeof requestSchema>;

/** A reply as a responder sends it. */
export const replySchema = z.strictObject({
  ...payloadFields,
  replyTo: z.string().regex(ADDRESS, "Must be the replyTo of a request's message").meta({
    description: "The `replyTo` of the request's message.",
    examples: ["$inbox.3b241101-e2bb-4255-8caf-4136c566a962"],
  }),
  idempotencyKey: shortText.optional().meta({
    description: "The same key counts as one reply, however often it is sent.",
  }),
}).superRefine(requireOnePayload).meta({ id: "Reply" });

/** A reply as a responder sent it, checked. */
export type ReplyInput = z.infer<typeof replySchema>;

/** Where the replies to a request go. */
export function inboxOf(requestId: string): string {
  return INBOX + requestId;
}

/** The request that an address is of. */
export function requestIdOf(replyTo: string): string {
  return replyTo.slice(INBOX.length);
}

/**
 * Turns a request into the message that is published. It expires when nobody waits for it any more, and the commit that
 * stores it opens the request, so that no reply can come before.
 */
export function prepareRequest(
  input: RequestInput,
  { id, processId }: { readonly id: string; readonly processId: string },
): PreparedMessage {
  const { topic, key, timeoutMs, replies = 1 } = input;
  return {
    topic,
    body: requestBody(input, inboxOf(id)),
    options: JSON.stringify({
      ttl: timeoutMs,
      key,
      req: { id, n: replies, ms: timeoutMs, proc: processId },
    }),
    ephemeral: false,
  };
}

/** A request's message as JSON. */
export function requestBody(input: RequestInput, replyTo?: string): string {
  const { key } = input;
  return messageBody({
    ...fieldsOf(input),
    ...(key === undefined ? {} : { key }),
    ...(replyTo === undefined ? {} : { replyTo }),
  });
}

/** A reply's message as JSON. */
export function replyBody(input: ReplyInput): string {
  return messageBody(fieldsOf(input));
}

/** Turns a reply into what is handed in; one without a key gets one, so that it can be sent again. */
export function prepareReply(input: ReplyInput): OutgoingReply {
  const { replyTo, idempotencyKey } = input;
  const id = requestIdOf(replyTo);
  const body = replyBody(input);
  return idempotencyKey === undefined ? { id, key: crypto.randomUUID(), digest: "-", body } : {
    id,
    key: digestOf(idempotencyKey),
    digest: digestOf(replyBody(withoutTraceparent(input))),
    body,
  };
}

function fieldsOf(input: RequestInput | ReplyInput): MessageFields {
  const { data, dataBase64, type, headers, contentType } = input;
  return {
    ...(dataBase64 === undefined ? { data } : { dataBase64 }),
    ...(type === undefined ? {} : { type }),
    ...(headers === undefined ? {} : { headers }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
