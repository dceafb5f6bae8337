import { z } from "zod";
import { EVENT_TYPE } from "../codec/cloud_event.ts";
import { deliveredEventSchema } from "../codec/event_schema.ts";
import { leasedMessageSchema, messageSchema } from "../codec/message_schema.ts";
import { STATS_TOPIC } from "../codec/topic.ts";
import {
  byeSchema,
  cursorSchema,
  expiringSchema,
  gapSchema,
  readySchema,
} from "./event_schemas.ts";
import { statsSchema } from "./stats_schema.ts";

/** One kind of event or line that a stream can have, for the API's description. */
export interface StreamPart {
  readonly summary: string;
  /** The event's data, or the line; absent where there is no data. */
  readonly schema?: z.ZodType;
  /** The fields of the event's block beside its data. */
  readonly fields?: z.ZodType;
  /** The media type of the data, where it is not the usual one. */
  readonly type?: string;
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
const EVENT = {
  ...{ specversion: "1.0", id: "A-1", source: "/shop", type: "order.created" },
  ...{ runnelid: ID, runneltopic: "orders.eu", data: { order: 7 } },
};
const STATS = {
  ...{ id: null, topic: STATS_TOPIC, time: "2026-01-01T00:00:00.000Z", type: "stats" },
  data: {
    ...{ instance: "3b241101", time: "2026-01-01T00:00:00.000Z", intervalMs: 1_000 },
    ...{ in: 120, out: 480, requests: 31, refused: 0, errors: 0, subscribers: 4 },
    publishMs: { p50: 0.6, p99: 2.1 },
    deliveryMs: null,
    eventLoopMs: 1.2,
    redis: [
      { shard: 1, latencyMs: 0.4, memoryBytes: 1_048_576, maxMemoryBytes: 0, connected: true },
    ],
    groups: { count: 1, lag: 7, pending: 2, dead: 0 },
    topics: 3,
  },
};
const READY = { subscription: "3b241101-e2bb-4255-8caf-4136c566a962", cursor: ID };
const GAP = { topic: "orders.eu", after: ID, before: "1767225600500-65536", reason: "retention" };
const BYE = { reason: "shutdown", retryMs: 2_500 };
const EXPIRING = { in: 30_000 };

const SUMMARIES = {
  message: "A message",
  leased: "A message that was leased to the group's consumer",
  cloudevent: "With `format=cloudevents`: a message as a CloudEvent",
  stats: "On the topic `$stats`, once a second: what each process does, and what there is",
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

const statsMessageSchema = z.object({
  id: z.null(),
  topic: z.literal(STATS_TOPIC),
  time: z.iso.datetime(),
  type: named("stats"),
  data: statsSchema,
}).meta({ id: "StatsMessage", description: "A message of the topic `$stats`." });

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
  cloudevent: {
    summary: SUMMARIES.cloudevent,
    schema: deliveredEventSchema,
    fields: z.object({ event, id }),
    type: EVENT_TYPE,
    example: EVENT,
  },
  stats: {
    summary: SUMMARIES.stats,
    schema: statsMessageSchema,
    fields: z.object({ event: named("stats"), id }),
    example: STATS,
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
  cloudevent: {
    summary: SUMMARIES.cloudevent,
    schema: deliveredEventSchema,
    type: EVENT_TYPE,
    example: EVENT,
  },
  stats: { summary: SUMMARIES.stats, schema: statsMessageSchema, example: STATS },
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
