import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { type Checked, isGood, publishGood, requireAllGood } from "../lib/broker/checked_batch.ts";
import { eventInput } from "../lib/broker/event_input.ts";
import {
  batchMessageSchema,
  describedBatchMessageSchema,
  isPlainMessage,
  prepareMessage,
  type PublishInput,
} from "../lib/broker/publish_input.ts";
import type { PublishOutcome } from "../lib/broker/publisher.ts";
import { EVENT_BATCH_TYPE, memberPointer, parseEvent } from "../lib/codec/cloud_event.ts";
import { eventSchema } from "../lib/codec/event_schema.ts";
import { STORING_PROBLEMS } from "../lib/broker/problems.ts";
import { scheduledJson, scheduledSchema } from "../lib/broker/scheduled.ts";
import { parseJson } from "../lib/codec/json.ts";
import { NDJSON_TYPE, type NdjsonLine, ndjsonLine } from "../lib/codec/ndjson.ts";
import { mediaType } from "../lib/codec/payload.ts";
import { readTraceparent, withTraceparent } from "../lib/codec/traceparent.ts";
import { RunnelError } from "../lib/errors.ts";
import { authorize, type Identity } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { eventMode } from "../lib/http/event_request.ts";
import { checkShape, invalidFields } from "../lib/http/field_errors.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { exchangeLines } from "../lib/http/line_exchange.ts";
import { problemOf } from "../lib/http/problem.ts";
import { problemSchema } from "../lib/http/problem_schema.ts";
import { QUOTA_HEADERS } from "../lib/http/publish_quota.ts";
import { readQuery } from "../lib/http/query.ts";
import type { AnswerDoc, ContentDoc, RouteDoc } from "../lib/http/route_doc.ts";
import { type CarriedTrace, sending } from "../lib/metrics/tracing.ts";

const batchSchema = batchOf(z.unknown());
// what each message must be is checked for each alone
const documentedBatchSchema = batchOf(describedBatchMessageSchema).meta({ id: "Batch" });

function batchOf<M extends z.ZodType>(message: M) {
  return z.union([
    z.array(message).min(1),
    z.strictObject({
      messages: z.array(message).min(1),
      atomic: z.boolean().optional().meta({ description: "All or none, of one partition." }),
    }),
  ]);
}

const resultSchema = z.union([
  z.object({
    id: z.string().nullable(),
    duplicate: z.literal(true).optional(),
    replicas: z.int().optional(),
    scheduled: scheduledSchema.optional(),
  }),
  z.object({ error: problemSchema }),
]).meta({ id: "BatchResult", description: "What became of one message." });

const counts = { accepted: z.int().min(0), rejected: z.int().min(0) };
/** What became of each message of a batch. */
export const batchOutcomeSchema = z.object({ ...counts, results: z.array(resultSchema) }).meta({
  id: "BatchOutcome",
  description: "What became of each message, in order.",
});
const summarySchema = z.object({ ...counts, error: problemSchema.optional() }).meta({
  id: "BatchSummary",
  description: "The last line: how many were stored, and why the upload ended where it failed.",
});

const STORED = { id: "1767225600000-65536" };
const OUTCOME = {
  schema: batchOutcomeSchema,
  example: { accepted: 1, rejected: 0, results: [STORED] },
};

/** Many CloudEvents, as a body. */
export const EVENT_BATCH: ContentDoc = {
  schema: z.array(eventSchema).meta({ id: "CloudEventBatch", description: "Many CloudEvents." }),
  example: [
    { specversion: "1.0", id: "A-3", source: "/shop", type: "order.created", topic: "orders.eu" },
    { specversion: "1.0", id: "A-4", source: "/shop", type: "order.paid", topic: "orders.eu" },
  ],
};

/** What is answered where not every message of a batch is stored. */
export const PARTLY: AnswerDoc = {
  about:
    "Some messages are not stored, or none; each result says why. Of an atomic batch it is `batch_aborted` where another message is at fault.",
  content: { "application/json": OUTCOME },
  headers: QUOTA_HEADERS,
};

const BATCH: RouteDoc = {
  id: "batch",
  group: "Publish",
  summary: "Publish many messages",
  about:
    "As one document, or as NDJSON of any length, which is answered line by line while it is uploading. CloudEvents name their topics in their extension attribute `topic`.",
  right: "publish to each topic; a message without it is refused and the others go on",
  body: {
    content: {
      "application/json": {
        schema: documentedBatchSchema,
        example: [{ topic: "orders.eu", data: 1 }, { topic: "orders.us", data: 2 }],
      },
      [EVENT_BATCH_TYPE]: EVENT_BATCH,
      [NDJSON_TYPE]: {
        about: "A message a line.",
        parts: {
          message: {
            summary: "A message",
            schema: describedBatchMessageSchema,
            example: { topic: "orders.eu", data: 1 },
          },
        },
      },
    },
  },
  answers: {
    200: {
      about: "All messages of a document are stored; or the results of an NDJSON upload.",
      content: {
        "application/json": OUTCOME,
        [NDJSON_TYPE]: {
          about: "A result a line, in order, and a summary as the last line.",
          parts: {
            result: {
              summary: "What became of one message",
              schema: resultSchema,
              example: STORED,
            },
            summary: {
              summary: "The last line",
              schema: summarySchema,
              example: { accepted: 1, rejected: 0 },
            },
          },
        },
      },
      headers: QUOTA_HEADERS,
    },
    207: PARTLY,
  },
  problems: [...STORING_PROBLEMS, "not_replicated"],
  curl: `curl -H 'content-type: application/json' -d '[{"topic":"a","data":1}]' /batch`,
};

/** `POST /batch`: many messages as one JSON document, or as NDJSON that is answered while it is uploading. */
export function batchRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "batch",
      doc: BATCH,
      handle: async (context) => {
        const runnel = await source();
        const mode = eventMode(context.request);
        if (mode === "batch") return await publishEvents(runnel, context);
        if (mode !== undefined) throw oneEvent();
        readQuery(context, {});
        refuseKey(context.request);
        const type = mediaType(context.request.headers.get("content-type"));
        return type === NDJSON_TYPE
          ? publishLines(runnel, context)
          : await publishDocument(runnel, context);
      },
    },
  ];
}

// one key for many messages would store the first of them only
function refuseKey(request: Request): void {
  if (!request.headers.has("idempotency-key")) return;
  const detail = "Each message of a batch has its own idempotencyKey";
  throw invalidFields([{ pointer: "idempotency-key", detail }]);
}

function oneEvent(): RunnelError {
  const detail =
    "A single CloudEvent goes to /publish, many are application/cloudevents-batch+json";
  return new RunnelError("unsupported_media_type", detail);
}

function readMessage(message: unknown): PublishInput {
  return isPlainMessage(message) ? message : checkShape(message, batchMessageSchema);
}

async function publishDocument(runnel: App, context: RequestContext): Promise<Response> {
  const document = await readJson(context.request, {
    maxBytes: runnel.config.limits.bodyBytes,
    schema: batchSchema,
  });
  const isBare = Array.isArray(document);
  const { messages, atomic = false } = isBare ? { messages: document } : document;
  runnel.limits.input.checkBatch(messages.length, isBare ? "#" : "#/messages");
  return await publishAll(runnel, context, { messages, read: readMessage, atomic });
}

/**
 * Publishes CloudEvents of one JSON array, which may be empty.
 *
 * @param topic where all of them go. @default what the extension attribute `topic` of each names
 */
export async function publishEvents(
  runnel: App,
  context: RequestContext,
  topic?: string,
): Promise<Response> {
  readQuery(context, {});
  refuseKey(context.request);
  const { bodyBytes: maxBytes } = runnel.config.limits;
  const events = await readJson(context.request, { maxBytes, schema: z.array(z.unknown()) });
  runnel.limits.input.checkBatch(events.length, "#");
  const read = (event: unknown) =>
    eventInput(parseEvent(event), { topic, pointerOf: memberPointer });
  return await publishAll(runnel, context, { messages: events, read, atomic: false });
}

/** Messages as they came, and what reads one of them. */
interface Unread {
  readonly messages: readonly unknown[];
  /** @throws {RunnelError} what is wrong with it, so that it fails alone */
  readonly read: (message: unknown) => PublishInput;
  readonly atomic: boolean;
}

async function publishAll(
  runnel: App,
  context: RequestContext,
  { messages, read, atomic }: Unread,
): Promise<Response> {
  const what = { count: messages.length, header: headerOf(context) };
  const { outcomes, headers } = await sending(runnel.tracing, what, async (trace) => {
    const publication = new Publication(runnel, context.identity, trace);
    const checked = messages.map((message) => check(message, read, publication));
    if (atomic) requireAllGood(checked);
    auditRefused(checked, context);
    const good = checked.filter(isGood).length;
    const headers = (await runnel.limits.quota?.take(context.identity.name, good))?.headers;
    return { outcomes: await publishGood(runnel.broker, checked, { atomic }), headers };
  });
  const rejected = outcomes.filter((outcome) => outcome instanceof RunnelError);
  if (rejected.length > 0 && rejected.length === outcomes.length) throwIfAsWhole(rejected);
  return jsonResponse({
    accepted: outcomes.length - rejected.length,
    rejected: rejected.length,
    results: outcomes.map(resultOf),
  }, { status: rejected.length === 0 ? 200 : 207, headers });
}

// where Redis is to blame for all of them, the request as a whole failed; that some may be stored is to be said then. So
// it did where one fault is that of all together
function throwIfAsWhole(rejected: readonly RunnelError[]): void {
  const [first] = rejected;
  if (rejected.length > 1 && first !== undefined && rejected.every((one) => one === first)) {
    throw first;
  }
  if (!rejected.every(({ status }) => status >= 500)) return;
  const worst = rejected.find(({ code }) => code === "outcome_unknown") ?? rejected[0];
  if (worst !== undefined) throw worst;
}

function publishLines(runnel: App, context: RequestContext): Response {
  const { request, identity } = context;
  let accepted = 0, rejected = 0;
  const header = headerOf(context);
  const answer = async (lines: readonly NdjsonLine[]) => {
    const what = { count: lines.length, header };
    const outcomes = await sending(runnel.tracing, what, async (trace) => {
      const publication = new Publication(runnel, identity, trace);
      const checked = await withinQuota(
        lines.map((line) => checkLine(line, publication)),
        runnel,
        identity,
      );
      auditRefused(checked, context);
      return await publishGood(runnel.broker, checked);
    });
    for (const outcome of outcomes) {
      if (outcome instanceof RunnelError) rejected++;
      else accepted++;
    }
    return outcomes.map((outcome) => ndjsonLine(resultOf(outcome))).join("");
  };
  const end = (error: unknown) => {
    const failure = error instanceof RunnelError ? { error: problemOf(error) } : {};
    return ndjsonLine({ accepted, rejected, ...failure });
  };
  const { bodyBytes } = runnel.config.limits;
  return new Response(exchangeLines(request, { maxBytes: bodyBytes, answer, end }), {
    headers: { "content-type": NDJSON_TYPE, ...runnel.limits.quota?.policy },
  });
}

/** Who publishes messages together, where, and in which trace. */
class Publication {
  readonly runnel: App;
  readonly trace: CarriedTrace;
  readonly #identity: Identity;
  readonly #allowed = new Set<string>();

  constructor(runnel: App, identity: Identity, trace: CarriedTrace) {
    this.runnel = runnel;
    this.trace = trace;
    this.#identity = identity;
  }

  /**
   * Refuses a topic that they may not be published to; each is asked about once.
   *
   * @throws {RunnelError} `forbidden` or `invalid_token`
   */
  requireTopic(topic: string): void {
    if (this.#allowed.has(topic)) return;
    authorize(this.#identity, "publish", topic);
    this.#allowed.add(topic);
  }
}

function headerOf({ request }: RequestContext): string | undefined {
  return readTraceparent(request.headers.get("traceparent"));
}

function checkLine({ bytes }: NdjsonLine, publication: Publication): Checked {
  if (bytes === undefined) return new RunnelError("payload_too_large", "The line is too long");
  try {
    return check(parseJson(bytes), readMessage, publication);
  } catch (error) {
    return asRunnelError(error);
  }
}

function check(
  message: unknown,
  read: (message: unknown) => PublishInput,
  publication: Publication,
): Checked {
  const { runnel: { limits }, trace } = publication;
  try {
    const input = read(message);
    publication.requireTopic(input.topic);
    const own = readTraceparent(input.headers?.traceparent);
    if (own !== undefined) trace.link(own);
    const traceparent = own === undefined ? trace.traceparent : undefined;
    const prepared = prepareMessage(withTraceparent(input, traceparent));
    limits.input.checkMessage(input, () => prepared.body);
    return prepared;
  } catch (error) {
    return asRunnelError(error);
  }
}

/** Messages of an upload, with a refusal for each that is more than may be published now. Never rejects. */
async function withinQuota(
  checked: readonly Checked[],
  { limits: { quota } }: App,
  { name }: Identity,
): Promise<readonly Checked[]> {
  const good = checked.filter(isGood).length;
  if (quota === undefined || good === 0) return checked;
  let left = 0;
  let refusal: RunnelError;
  try {
    const granted = await quota.takeSome(name, good);
    left = granted.messages;
    if (left === good) return checked;
    refusal = granted.refusal();
  } catch (error) {
    refusal = asRunnelError(error);
  }
  return checked.map((one) => isGood(one) && left-- <= 0 ? refusal : one);
}

const AUDITED: ReadonlySet<string> = new Set([
  ...["forbidden", "invalid_token", "payload_too_large", "rate_limited"],
]);

/** One line of the log for what was refused together for the same reason. */
function auditRefused(checked: readonly Checked[], context: RequestContext): void {
  const refused = new Map<string, RunnelError>();
  for (const one of checked) {
    if (!isGood(one) && AUDITED.has(one.code) && !refused.has(one.code)) refused.set(one.code, one);
  }
  for (const error of refused.values()) context.audit(error);
}

function asRunnelError(error: unknown): RunnelError {
  if (error instanceof RunnelError) return error;
  throw error;
}

function resultOf(outcome: PublishOutcome): Record<string, unknown> {
  if (outcome instanceof RunnelError) return { error: problemOf(outcome) };
  const result: Record<string, unknown> = { id: outcome.id };
  if (outcome.duplicate) result.duplicate = true;
  if ("replicas" in outcome) result.replicas = outcome.replicas;
  return Object.assign(result, scheduledJson(outcome.scheduled));
}

export default {
  fetch: createHandler(batchRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
