import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { eventInput } from "../lib/broker/event_input.ts";
import { STORING_PROBLEMS } from "../lib/broker/problems.ts";
import {
  isPlainMessage,
  prepareMessage,
  type PublishInput,
  type PublishOptions,
  publishOptionsSchema,
  publishSchema,
} from "../lib/broker/publish_input.ts";
import { scheduledJson, scheduledSchema } from "../lib/broker/scheduled.ts";
import { EVENT_BATCH_TYPE, EVENT_TYPE } from "../lib/codec/cloud_event.ts";
import { eventSchema } from "../lib/codec/event_schema.ts";
import { requirePublishTopic } from "../lib/codec/topic.ts";
import { payloadOf } from "../lib/codec/payload.ts";
import { readTraceparent, withTraceparent } from "../lib/codec/traceparent.ts";
import { RunnelError } from "../lib/errors.ts";
import { authorize } from "../lib/http/identity.ts";
import { readBytes, readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { type EventMode, eventMode, eventPointer, readEvent } from "../lib/http/event_request.ts";
import { checkShape, fieldErrors, invalidFields } from "../lib/http/field_errors.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { QUOTA_HEADERS } from "../lib/http/publish_quota.ts";
import { headerText, integer, oneOf, readQuery, text } from "../lib/http/query.ts";
import { queryDoc, type RouteDoc } from "../lib/http/route_doc.ts";
import { leftOf } from "../lib/http/while_held.ts";
import { batchOutcomeSchema, EVENT_BATCH, PARTLY, publishEvents } from "./batch.ts";
import { sending } from "../lib/metrics/tracing.ts";

/** What may be said of an event, which says its type and key itself. */
const EVENT_OPTIONS = {
  idempotencyKey: text(),
  ttlMs: integer(),
  delayMs: integer(),
  at: text(),
  durability: oneOf("stored", "replicated", "ephemeral"),
  replicas: integer(),
};
const OPTIONS = { type: text(), key: text(), ...EVENT_OPTIONS };

const outcomeSchema = z.object({
  id: z.string().nullable().meta({
    description: "Null where it is ephemeral, or kept for later.",
    examples: ["1767225600000-65536"],
  }),
  topic: z.string(),
  duplicate: z.boolean().meta({
    description: "Whether its idempotency key was used before, so that `id` is of then.",
  }),
  replicas: z.int().optional().meta({ description: "How many replicas have it." }),
  confirmed: z.boolean().optional().meta({
    description: "Whether enough subscriptions have confirmed it in time.",
  }),
  confirmations: z.int().optional().meta({ description: "How many have." }),
  scheduled: scheduledSchema.optional(),
}).meta({ id: "Published" });

const COMMON = {
  group: "Publish",
  right: "publish to the topic",
  headers: {
    "idempotency-key": { about: "The same as `idempotencyKey`.", example: "order-4711" },
    "ce-specversion": {
      about: "Makes it a CloudEvent in headers, whose data is the body.",
      example: "1.0",
    },
    "ce-id": {
      about: "Of a CloudEvent; with its source it is its idempotency key.",
      example: "A-1",
    },
    "ce-source": { about: "Of a CloudEvent: a URI reference.", example: "/shop" },
    "ce-type": { about: "Of a CloudEvent; further attributes likewise.", example: "order.created" },
  },
  answers: {
    200: {
      about:
        "The message is stored; an ephemeral one was given to whoever listens. Many CloudEvents are answered as a batch.",
      content: {
        "application/json": {
          schema: z.union([outcomeSchema, batchOutcomeSchema]),
          example: { id: "1767225600000-65536", topic: "orders.eu", duplicate: false },
        },
      },
      headers: QUOTA_HEADERS,
    },
    207: PARTLY,
  },
  problems: [...STORING_PROBLEMS, "invalid_topic", "idempotency_conflict", "not_replicated"],
} as const;

const EVENT = {
  ...{ specversion: "1.0", id: "A-2", source: "/shop", type: "order.created" },
  ...{ topic: "orders.eu", data: { order: 8 } },
};
const EVENT_BODIES = {
  [EVENT_TYPE]: { schema: eventSchema, example: EVENT },
  [EVENT_BATCH_TYPE]: EVENT_BATCH,
};

const EVENT_ABOUT = {
  idempotencyKey: "The same key stores a message of a topic once, however often it is sent.",
  ttlMs: "It is not delivered any more after so many milliseconds.",
  delayMs: "It is published after so many milliseconds.",
  at: "When it is published, as ISO time.",
  durability: "`stored` if not given; `replicated` waits for replicas, `ephemeral` stores nothing.",
  replicas: "How many replicas must have it; with durability `replicated`.",
};

const PUBLISH: RouteDoc = {
  ...COMMON,
  id: "publish",
  summary: "Publish a message",
  about:
    "It is answered when Redis has the message, and not before. A CloudEvent names its topic in its extension attribute `topic`; what is said of one in the query is said of an envelope in the envelope.",
  headers: {
    ...COMMON.headers,
    "ce-topic": { about: "Of a CloudEvent: where it goes.", example: "orders.eu" },
  },
  query: queryDoc(EVENT_OPTIONS, EVENT_ABOUT, { asHeaders: true }),
  body: {
    about: "With `ce-` headers it is the event's data, of any type.",
    content: {
      "application/json": {
        schema: publishSchema,
        example: { topic: "orders.eu", type: "order-placed", data: { order: 4711 } },
      },
      ...EVENT_BODIES,
      "*/*": { about: "With `ce-` headers alone: the event's data." },
    },
  },
  curl: `curl -H 'content-type: application/json' -d '{"topic":"orders.eu","data":1}' /publish`,
};

const PUBLISH_RAW: RouteDoc = {
  ...COMMON,
  id: "publishRaw",
  summary: "Publish a body as it is",
  about:
    "JSON is kept as JSON, text (and what `curl -d` sends) as a text, anything else as base64 with its content type.",
  params: { topic: { about: "The topic.", schemaId: "PublishTopic", example: "orders.eu" } },
  query: queryDoc(OPTIONS, {
    type: "Names the SSE event.",
    key: "What the message is about; `conflate` keeps the latest of each.",
    ...EVENT_ABOUT,
  }, { asHeaders: true, examples: { type: "order-placed" } }),
  body: {
    about: "The payload; with `ce-` headers the event's data.",
    required: false,
    content: {
      "application/json": { schema: z.unknown(), example: { order: 4711 } },
      "text/plain": { about: "Text in its charset, UTF-8 if it names none.", example: "Hello" },
      "application/x-www-form-urlencoded": { about: "What `curl -d` sends: kept as text." },
      ...EVENT_BODIES,
      "*/*": { about: "Bytes; subscribers get them as `dataBase64` with this content type." },
    },
  },
  problems: [...COMMON.problems, "invalid_json", "unsupported_media_type", "upload_timeout"],
  curl: "curl -d Hello /publish/orders.eu",
};

/**
 * `POST /publish` with a JSON envelope, and `POST /publish/{topic}` with the payload as it is; both also with
 * CloudEvents.
 */
export function publishRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "publish",
      doc: PUBLISH,
      handle: async (context) => {
        const runnel = await source();
        const mode = eventMode(context.request);
        if (mode !== undefined) return await publishEvent(runnel, context, mode);
        readQuery(context, {});
        const input = await readJson(context.request, {
          maxBytes: runnel.config.limits.bodyBytes,
          schema: publishSchema,
          isSound: isPlainMessage,
        });
        return await publish(runnel, context, input);
      },
    },
    {
      method: "POST",
      path: "publish/:topic",
      doc: PUBLISH_RAW,
      handle: async (context) => {
        const runnel = await source();
        const mode = eventMode(context.request);
        if (mode !== undefined) return await publishEvent(runnel, context, mode);
        return await publish(runnel, context, await readRaw(runnel, context));
      },
    },
  ];
}

async function publishEvent(
  runnel: App,
  context: RequestContext,
  mode: EventMode,
): Promise<Response> {
  const { request, params: { topic }, search } = context;
  if (topic !== undefined) requirePathTopic(runnel, topic);
  if (mode === "batch") return await publishEvents(runnel, context, topic);
  const options = checkOptions(readQuery({ search, headers: request.headers }, EVENT_OPTIONS));
  const event = await readEvent(request, { mode, maxBytes: runnel.config.limits.bodyBytes });
  const input = eventInput(event, {
    topic,
    options: withHeaderKey(options, request),
    pointerOf: eventPointer(mode),
  });
  return await traced(runnel, context, input, async (message) => {
    authorize(context.identity, "publish", message.topic);
    return await publishAllowed(runnel, context, message);
  });
}

// an event has a key of its own, which gives way to one that is named
function withHeaderKey(options: PublishOptions, { headers }: Request): PublishOptions {
  const header = headers.get("idempotency-key");
  return header === null ? options : checkShape(withKey(options, header), publishOptionsSchema);
}

function requirePathTopic(runnel: App, topic: string): void {
  requirePublishTopic(topic, "/{topic}");
  runnel.limits.input.checkTopic(topic, "/{topic}");
}

async function readRaw(runnel: App, context: RequestContext): Promise<PublishInput> {
  const { request, params: { topic = "" }, search } = context;
  requirePathTopic(runnel, topic);
  const options = readQuery({ search, headers: request.headers }, OPTIONS);
  const bytes = await readBytes(request, { maxBytes: runnel.config.limits.bodyBytes });
  const payload = payloadOf(bytes, request.headers.get("content-type"));
  return { topic, ...payload, ...checkOptions(options) };
}

function checkOptions(given: Record<string, unknown>) {
  const result = publishOptionsSchema.safeParse(given);
  if (result.success) return result.data;
  throw invalidFields(
    fieldErrors(result.error.issues).map(({ pointer, detail }) => ({
      pointer: pointer.replace("#/", "?"),
      detail,
    })),
  );
}

function withKey<T extends Pick<PublishOptions, "idempotencyKey">>(input: T, header: string): T {
  const key = headerText(header);
  const { idempotencyKey = key } = input;
  if (key === undefined || key !== idempotencyKey) {
    const detail = key === undefined
      ? "Must be UTF-8"
      : "Must be the message's own idempotencyKey, where it has one";
    throw invalidFields([{ pointer: "idempotency-key", detail }]);
  }
  return { ...input, idempotencyKey };
}

function publish(runnel: App, context: RequestContext, input: PublishInput): Promise<Response> {
  return traced(runnel, context, input, (message) => store(runnel, context, message));
}

/** Publishes a message with the trace that it is to carry. */
function traced(
  runnel: App,
  context: RequestContext,
  input: PublishInput,
  publish: (message: PublishInput) => Promise<Response>,
): Promise<Response> {
  const what = {
    topic: input.topic,
    own: readTraceparent(input.headers?.traceparent),
    header: readTraceparent(context.request.headers.get("traceparent")),
  };
  return sending(
    runnel.tracing,
    what,
    ({ traceparent }) => publish(withTraceparent(input, traceparent)),
  );
}

function store(
  runnel: App,
  context: RequestContext,
  input: PublishInput,
): Promise<Response> {
  authorize(context.identity, "publish", input.topic);
  const header = context.request.headers.get("idempotency-key");
  const message = header === null ? input : checkShape(withKey(input, header), publishSchema);
  return publishAllowed(runnel, context, message);
}

async function publishAllowed(
  runnel: App,
  context: RequestContext,
  message: PublishInput,
): Promise<Response> {
  const prepared = prepareMessage(message);
  const { input: limits, quota } = runnel.limits;
  limits.checkMessage(message, () => prepared.body);
  const headers = (await quota?.take(context.identity.name, 1))?.headers;
  if (message.confirm !== undefined) {
    const { topic, confirm: { subscribers, timeoutMs } } = message;
    const confirm = { subscribers, timeoutMs: leftOf(context, timeoutMs) };
    const { id, ...rest } = await runnel.broker.publishConfirmed(prepared, confirm, context.signal);
    return jsonResponse({ id, topic, ...rest }, { headers });
  }
  const [outcome] = await runnel.broker.publish([prepared]);
  if (outcome === undefined || outcome instanceof RunnelError) {
    throw outcome ?? new RunnelError("internal");
  }
  const { id, duplicate, scheduled } = outcome;
  const answer: Record<string, unknown> = { id, topic: message.topic, duplicate };
  if ("replicas" in outcome) answer.replicas = outcome.replicas;
  return jsonResponse(Object.assign(answer, scheduledJson(scheduled)), { headers });
}

export default {
  fetch: createHandler(publishRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
