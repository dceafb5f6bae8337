import { type App, app } from "../lib/app.ts";
import { type Encoder, NDJSON, SSE } from "../lib/broker/encoder.ts";
import { parseStart, type Start } from "../lib/broker/start.ts";
import { patternFault } from "../lib/broker/topic.ts";
import { TopicFilter } from "../lib/broker/topic_filter.ts";
import { NDJSON_TYPE } from "../lib/codec/ndjson.ts";
import { SSE_TYPE } from "../lib/codec/sse.ts";
import { type FieldError, RunnelError } from "../lib/errors.ts";
import { authorize } from "../lib/http/auth.ts";
import { ByteStream } from "../lib/http/byte_stream.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { negotiate } from "../lib/http/negotiate.ts";
import { flag, integer, oneOf, readQuery, text, texts } from "../lib/http/query.ts";

const QUERY = {
  topic: texts(),
  since: text(),
  lastEventId: text(),
  limit: integer({ min: 1 }),
  wait: flag(),
  format: oneOf("message", "data"),
  conflate: flag(),
};

/** `GET /subscribe?topic=...` and `GET /subscribe/{topic}`: a stream of messages, as SSE or NDJSON. */
export function subscribeRoutes(source: () => Promise<App>): Route[] {
  const handle = async (context: RequestContext) => await subscribe(await source(), context);
  return [
    { method: "GET", path: "subscribe", handle },
    { method: "GET", path: "subscribe/:topic", handle },
  ];
}

async function subscribe(runnel: App, context: RequestContext): Promise<Response> {
  const { request, params, search } = context;
  const type = negotiate(request, [SSE_TYPE, NDJSON_TYPE]);
  const query = readQuery({ search }, QUERY);
  const filter = readFilter(runnel, context, [
    ...(params.topic === undefined ? [] : [params.topic]),
    ...query.topic.flatMap((names) => names.split(",")),
  ]);
  const encoder: Encoder = (type === SSE_TYPE ? SSE : NDJSON)[query.format ?? "message"];
  const { seconds } = runnel.config.stream;
  const subscription = await runnel.broker.subscribe({
    filter,
    start: readStart(request, query),
    encoder,
    ...(query.limit === undefined ? {} : { limit: query.limit }),
    ...(query.wait === undefined ? {} : { wait: query.wait }),
    ...(query.conflate === undefined ? {} : { conflate: query.conflate }),
    ...(seconds === undefined ? {} : { lifetimeMs: seconds * 1000 }),
  });
  const stream = new ByteStream();
  runnel.broker.serve(subscription, stream);
  return new Response(stream.readable, {
    headers: {
      "content-type": type,
      "cache-control": "no-cache, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

function readFilter(
  runnel: App,
  { identity }: RequestContext,
  names: readonly string[],
): TopicFilter {
  const { topics } = runnel.config.limits;
  if (names.length > topics) {
    throw new RunnelError("too_many_topics", `At most ${topics} topics and patterns`);
  }
  const errors: FieldError[] = names.length === 0
    ? [{ pointer: "?topic", detail: "At least one topic is needed" }]
    : [];
  for (const name of names) {
    const fault = patternFault(name);
    if (fault !== undefined) errors.push({ pointer: "?topic", detail: fault });
  }
  const [first] = errors;
  if (first !== undefined) throw new RunnelError("invalid_topic", first.detail, { errors });
  for (const name of names) authorize(identity, "subscribe", name);
  return new TopicFilter(names);
}

function readStart(
  request: Request,
  query: { lastEventId: string | undefined; since: string | undefined },
): Start {
  const header = request.headers.get("last-event-id");
  if (header) return parseStart(header, "last-event-id");
  if (query.lastEventId) return parseStart(query.lastEventId, "?lastEventId");
  return query.since === undefined ? { kind: "latest" } : parseStart(query.since, "?since");
}

export default {
  fetch: createHandler(subscribeRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
