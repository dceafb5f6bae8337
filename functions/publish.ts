import { type App, app } from "../lib/app.ts";
import {
  prepareMessage,
  type PublishInput,
  publishOptionsSchema,
  publishSchema,
} from "../lib/broker/publish_input.ts";
import { scheduledJson } from "../lib/broker/scheduled.ts";
import { requirePublishTopic } from "../lib/codec/topic.ts";
import { payloadOf } from "../lib/codec/payload.ts";
import { readTraceparent, withTraceparent } from "../lib/codec/traceparent.ts";
import { RunnelError } from "../lib/errors.ts";
import { authorize } from "../lib/http/identity.ts";
import { readBytes, readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { checkShape, fieldErrors, invalidFields } from "../lib/http/field_errors.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { headerText, integer, oneOf, readQuery, text } from "../lib/http/query.ts";
import { leftOf } from "../lib/http/while_held.ts";
import { sending } from "../lib/metrics/tracing.ts";

const OPTIONS = {
  type: text(),
  key: text(),
  idempotencyKey: text(),
  ttlMs: integer(),
  delayMs: integer(),
  at: text(),
  durability: oneOf("stored", "replicated", "ephemeral"),
  replicas: integer(),
};

/** `POST /publish` with a JSON envelope, and `POST /publish/{topic}` with the payload as it is. */
export function publishRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "publish",
      handle: async (context) => {
        const runnel = await source();
        readQuery(context, {});
        const input = await readJson(context.request, {
          maxBytes: runnel.config.limits.bodyBytes,
          schema: publishSchema,
        });
        return await publish(runnel, context, input);
      },
    },
    {
      method: "POST",
      path: "publish/:topic",
      handle: async (context) => {
        const runnel = await source();
        return await publish(runnel, context, await readRaw(runnel, context));
      },
    },
  ];
}

async function readRaw(runnel: App, context: RequestContext): Promise<PublishInput> {
  const { request, params: { topic = "" }, search } = context;
  requirePublishTopic(topic, "/{topic}");
  runnel.limits.input.checkTopic(topic, "/{topic}");
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

function withKey(input: PublishInput, header: string): PublishInput {
  const key = headerText(header);
  const { idempotencyKey = key } = input;
  if (key === undefined || key !== idempotencyKey) {
    const detail = key === undefined
      ? "Must be UTF-8"
      : "Must be the message's own idempotencyKey, where it has one";
    throw invalidFields([{ pointer: "idempotency-key", detail }]);
  }
  return checkShape({ ...input, idempotencyKey }, publishSchema);
}

function publish(runnel: App, context: RequestContext, input: PublishInput): Promise<Response> {
  const what = {
    topic: input.topic,
    own: readTraceparent(input.headers?.traceparent),
    header: readTraceparent(context.request.headers.get("traceparent")),
  };
  return sending(
    runnel.tracing,
    what,
    ({ traceparent }) => store(runnel, context, withTraceparent(input, traceparent)),
  );
}

async function store(
  runnel: App,
  context: RequestContext,
  input: PublishInput,
): Promise<Response> {
  const { identity, request } = context;
  authorize(identity, "publish", input.topic);
  const header = request.headers.get("idempotency-key");
  const message = header === null ? input : withKey(input, header);
  const prepared = prepareMessage(message);
  const { input: limits, quota } = runnel.limits;
  limits.checkMessage(message, () => prepared.body);
  const headers = (await quota?.take(identity.name, 1))?.headers;
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
  return jsonResponse({
    id: outcome.id,
    topic: input.topic,
    duplicate: outcome.duplicate,
    ...("replicas" in outcome ? { replicas: outcome.replicas } : {}),
    ...scheduledJson(outcome.scheduled),
  }, { headers });
}

export default {
  fetch: createHandler(publishRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
