import { z } from "zod";
import { leasedMessageSchema, messageSchema } from "../codec/message_schema.ts";
import {
  byeSchema,
  cursorSchema,
  expiringSchema,
  gapSchema,
  readySchema,
} from "./event_schemas.ts";

/** One kind of event or line that a stream can have, for the API's description. */
export interface StreamPart {
  readonly summary: string;
  /** The event's data, or the line; absent where there is no data. */
  readonly schema?: z.ZodType;
  /** The fields of the event's block beside its data. */
  readonly fields?: z.ZodType;
  readonly example?: unknown;
}

const ID = "1767225600000-65536";
const MESSAGE = { id: ID, topic: "orders.eu", time: "2026-01-01T00:00:00.000Z", data: { n: 1 } };
const LEASED = {
  ...MESSAGE,
  deliveries: 1,
  lease: "7",
  leaseUntil: "2026-01-01T00:00:30.000Z",
};
const READY = { subscription: "3b241101-e2bb-4255-8caf-4136c566a962", cursor: ID };
const GAP = { topic: "orders.eu", after: ID, before: "1767225600500-65536", reason: "retention" };
const BYE = { reason: "shutdown", retryMs: 2_500 };
const EXPIRING = { in: 30_000 };

const SUMMARIES = {
  message: "A message",
  leased: "A message that was leased to the group's consumer",
  data: "With `format=data`: the payload of a message alone",
  $ready: "The stream is open",
  $gap: "Messages are missing, or were left out",
  "$auth-expiring": "The credential that opened the stream will end",
  $bye: "The stream ends; come back after a while",
  heartbeat: "Nothing happened; the cursor moves on",
};

const event = z.string().optional().meta({ description: "The message's `type`." });
const retry = z.int().meta({ description: "Milliseconds before a browser comes back." });
const id = cursorSchema.optional();
const named = (name: string) => z.literal(name);

/** What an event stream has. */
export const EVENT_PARTS: Readonly<Record<string, StreamPart>> = {
  message: {
    summary: SUMMARIES.message,
    schema: messageSchema,
    fields: z.object({ event, id }),
    example: MESSAGE,
  },
  leased: {
    summary: SUMMARIES.leased,
    schema: leasedMessageSchema,
    fields: z.object({ event, id }),
    example: LEASED,
  },
  data: {
    summary: SUMMARIES.data,
    schema: z.unknown().meta({ description: "A text as it is, anything else as JSON." }),
    fields: z.object({ event, id }),
    example: { n: 1 },
  },
  $ready: {
    summary: SUMMARIES.$ready,
    schema: readySchema,
    fields: z.object({ event: named("$ready"), id, retry }),
    example: READY,
  },
  $gap: {
    summary: SUMMARIES.$gap,
    schema: gapSchema,
    fields: z.object({ event: named("$gap"), id }),
    example: GAP,
  },
  "$auth-expiring": {
    summary: SUMMARIES["$auth-expiring"],
    schema: expiringSchema,
    fields: z.object({ event: named("$auth-expiring") }),
    example: EXPIRING,
  },
  $bye: {
    summary: SUMMARIES.$bye,
    schema: byeSchema,
    fields: z.object({ event: named("$bye"), retry }),
    example: BYE,
  },
  heartbeat: { summary: SUMMARIES.heartbeat, fields: z.object({ id }) },
};

const line = (name: string, fields: z.ZodObject, meta: { readonly id: string }) =>
  z.object({ event: named(name), ...fields.shape }).meta(meta);
const [readyOfTopics, readyOfGroup] = readySchema.options;
const cursor = { cursor: cursorSchema.optional() };

/** What a stream of lines has. */
export const LINE_PARTS: Readonly<Record<string, StreamPart>> = {
  message: {
    summary: SUMMARIES.message,
    schema: messageSchema.extend({
      cursor: cursorSchema.optional().meta({ description: "Where there are several partitions." }),
    }).meta({ id: "MessageLine" }),
    example: MESSAGE,
  },
  leased: { summary: SUMMARIES.leased, schema: leasedMessageSchema, example: LEASED },
  data: { summary: SUMMARIES.data, schema: z.unknown(), example: { n: 1 } },
  $ready: {
    summary: SUMMARIES.$ready,
    schema: z.union([
      z.object({ event: named("$ready"), ...readyOfTopics.shape }),
      z.object({ event: named("$ready"), ...readyOfGroup.shape }),
    ]).meta({ id: "ReadyLine" }),
    example: { event: "$ready", ...READY },
  },
  $gap: {
    summary: SUMMARIES.$gap,
    schema: line("$gap", gapSchema.extend(cursor), { id: "GapLine" }),
    example: { event: "$gap", ...GAP },
  },
  "$auth-expiring": {
    summary: SUMMARIES["$auth-expiring"],
    schema: line("$auth-expiring", expiringSchema, { id: "AuthExpiringLine" }),
    example: { event: "$auth-expiring", ...EXPIRING },
  },
  $bye: {
    summary: SUMMARIES.$bye,
    schema: line("$bye", byeSchema, { id: "ByeLine" }),
    example: { event: "$bye", ...BYE },
  },
  $heartbeat: {
    summary: SUMMARIES.heartbeat,
    schema: line("$heartbeat", z.object(cursor), { id: "HeartbeatLine" }),
    example: { event: "$heartbeat", cursor: ID },
  },
};
