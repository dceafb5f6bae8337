import { type App, app } from "../lib/app.ts";
import { NDJSON, SSE } from "../lib/broker/encoder.ts";
import { LEASE_LIMITS, LEASE_MS, MESSAGES_MOST } from "../lib/broker/group_input.ts";
import { requireGroupName } from "../lib/broker/group_name.ts";
import { REDIS_PROBLEMS } from "../lib/broker/problems.ts";
import { parseStart, type Start } from "../lib/broker/start.ts";
import { EVENT_PARTS, LINE_PARTS } from "../lib/broker/stream_parts.ts";
import { patternFault, requirePattern } from "../lib/codec/topic.ts";
import { TopicFilter } from "../lib/broker/topic_filter.ts";
import { NDJSON_TYPE } from "../lib/codec/ndjson.ts";
import { SSE_TYPE } from "../lib/codec/sse.ts";
import { type FieldError, RunnelError } from "../lib/errors.ts";
import { authorize } from "../lib/http/identity.ts";
import { ByteStream } from "../lib/http/byte_stream.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { invalidFields } from "../lib/http/field_errors.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { negotiate } from "../lib/http/negotiate.ts";
import {
  flag,
  integer,
  oneOf,
  type QueryValues,
  readQuery,
  text,
  texts,
} from "../lib/http/query.ts";
import { queryDoc, type RouteDoc } from "../lib/http/route_doc.ts";

const QUERY = {
  topic: texts(),
  since: text(),
  lastEventId: text(),
  limit: integer({ min: 1 }),
  wait: flag(),
  format: oneOf("message", "data", "cloudevents"),
  conflate: flag(),
  group: text(),
  consumer: text(),
  max: integer({ min: 1, max: MESSAGES_MOST }),
  leaseMs: integer(LEASE_LIMITS),
};

type Query = QueryValues<typeof QUERY>;

/** Most messages that a group's consumer holds at a time, where nothing is said. */
const HELD_MOST = 10;

const SUBSCRIBE: RouteDoc = {
  id: "subscribe",
  group: "Subscribe",
  summary: "Open a stream of messages",
  about:
    "As Server-Sent Events, or as NDJSON where `Accept` asks for it. Whoever comes back with the last event id gets all that came after it. With `group` it is a stream of work: each message is leased to one consumer, which says with `POST /ack` what became of it. The topic `$stats` says once a second what each process does; no pattern means it, and who may `manage` may see it too.",
  right: "subscribe to each topic and pattern; with `group`, consume it",
  query: queryDoc(QUERY, {
    topic: "Topics and patterns: given several times, or separated by commas.",
    since:
      "Where it starts: `latest` if not given, `earliest`, `last:<n>`, an ISO time, a duration such as `10m`, or a message id.",
    lastEventId: "As the header, for where none can be sent; the header wins.",
    limit: "It ends after so many messages.",
    wait: "`0`: it ends when there is nothing more.",
    format: "`message` if not given; `data` is the payload alone, `cloudevents` a CloudEvent.",
    conflate: "`1`: of messages with the same key a slow reader gets the latest alone.",
    group: "The group whose work it gives; it takes one topic or one pattern.",
    consumer: "With `group`: the consumer's name; one of its own if not given.",
    max: `With \`group\`: most messages that it holds at a time; ${HELD_MOST} if not given.`,
    leaseMs: `With \`group\`: how long it has them, in milliseconds; ${LEASE_MS} if not given.`,
  }, { examples: { topic: ["orders.eu"], since: "10m" } }),
  headers: {
    "last-event-id": {
      about: "The id of the last event that was seen; browsers send it by themselves.",
      example: "1767225600000-65536",
    },
  },
  answers: {
    200: {
      about: "The stream; it stays open.",
      content: {
        [SSE_TYPE]: {
          about: "Events; their names and data are in `/asyncapi.json`.",
          parts: EVENT_PARTS,
        },
        [NDJSON_TYPE]: {
          about: "A message or an event a line.",
          parts: LINE_PARTS,
        },
      },
    },
  },
  problems: [
    ...REDIS_PROBLEMS,
    "invalid_topic",
    "invalid_cursor",
    "invalid_group",
    "too_many_topics",
    "not_acceptable",
    "too_many_streams",
    "group_deleting",
    "groups_changed",
    "groups_unadopted",
    "overloaded",
    "shutting_down",
  ],
  curl: "curl -N '/subscribe?topic=orders.eu&since=10m'",
};

const SUBSCRIBE_TOPIC: RouteDoc = {
  ...SUBSCRIBE,
  id: "subscribeTopic",
  summary: "Open a stream of one topic's messages",
  params: { topic: { about: "A topic or pattern.", example: "orders.eu" } },
  curl: "curl -N /subscribe/orders.eu",
};

/**
 * `GET /subscribe?topic=...` and `GET /subscribe/{topic}`: a stream of messages, as SSE or NDJSON; with `group` those
 * that are leased to one of a group's consumers.
 */
export function subscribeRoutes(source: () => Promise<App>): Route[] {
  const handle = async (context: RequestContext) => await subscribe(await source(), context);
  return [
    { method: "GET", path: "subscribe", reopens: true, doc: SUBSCRIBE, handle },
    {
      method: "GET",
      path: "subscribe/:topic",
      reopens: true,
      doc: SUBSCRIBE_TOPIC,
      handle,
    },
  ];
}

async function subscribe(runnel: App, context: RequestContext): Promise<Response> {
  const { request, params, search, identity: { name, expiresAt, revoked } } = context;
  const type = negotiate(request, [SSE_TYPE, NDJSON_TYPE]);
  const query = readQuery({ search }, QUERY);
  refuseMixture(query);
  const names = [
    ...(params.topic === undefined ? [] : [params.topic]),
    ...query.topic.flatMap((names) => names.split(",")),
  ];
  const { seconds } = runnel.config.stream;
  const common = {
    encoder: (type === SSE_TYPE ? SSE : NDJSON)[query.format ?? "message"],
    ...(query.limit === undefined ? {} : { limit: query.limit }),
    ...(query.wait === undefined ? {} : { wait: query.wait }),
    ...(seconds === undefined ? {} : { lifetimeMs: seconds * 1000 }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(revoked === undefined ? {} : { revoked }),
  };
  const { broker } = runnel;
  const sink = new ByteStream();
  let open: () => Promise<{ over: Promise<void> }>;
  if (query.group === undefined) {
    const filter = readFilter(runnel, context, names);
    const start = readStart(request, query);
    const { conflate = false } = query;
    open = async () => {
      const subscription = await broker.subscribe({ ...common, filter, start, conflate }, context);
      return { over: broker.serve(subscription, sink) };
    };
  } else {
    const work = readWork(runnel, context, { group: query.group, names, query });
    open = async () => {
      const stream = await broker.groups.subscribe({ ...common, ...work });
      return { over: broker.groups.serve(stream, sink) };
    };
  }
  const leave = runnel.limits.streams.take(name);
  try {
    (await open()).over.then(leave, leave);
  } catch (error) {
    leave();
    throw error;
  }
  return new Response(sink.readable, {
    headers: {
      "content-type": type,
      "cache-control": "no-cache, no-store, no-transform",
      "x-accel-buffering": "no",
    },
  });
}

// what cannot be honoured is refused, never ignored
function refuseMixture({ group, ...query }: Query): void {
  const errors: FieldError[] = [];
  if (group === undefined) {
    for (const name of ["consumer", "max", "leaseMs"] as const) {
      if (query[name] !== undefined) errors.push({ pointer: `?${name}`, detail: "Needs a group" });
    }
  } else {
    const detail = "Not with a group, which knows by itself what each consumer gets";
    if (query.lastEventId !== undefined) errors.push({ pointer: "?lastEventId", detail });
    if (query.conflate) errors.push({ pointer: "?conflate", detail });
    if (query.format === "data") {
      const reason = "Not with a group: its messages carry what an ack needs";
      errors.push({ pointer: "?format", detail: reason });
    }
  }
  if (errors.length > 0) throw invalidFields(errors);
}

/** What a group's consumer asks for. The Last-Event-ID that a browser sends when it comes back says nothing here. */
function readWork(
  { limits: { input: limits } }: App,
  { identity }: RequestContext,
  { group, names, query }: { group: string; names: readonly string[]; query: Query },
) {
  const [sub = "", ...others] = names;
  if (others.length > 0) {
    const detail = "A group consumes one topic or one pattern";
    throw invalidFields([{ pointer: "?topic", detail }]);
  }
  const { consumer } = query;
  const name = {
    sub: requirePattern(sub, "?topic"),
    group: requireGroupName(group, "?group"),
  };
  limits.checkTopic(sub, "?topic");
  authorize(identity, "consume", sub);
  return {
    name,
    ...(consumer === undefined
      ? {}
      : { consumer: requireGroupName(consumer, "?consumer", "consumer") }),
    since: parseStart(query.since ?? "latest", "?since"),
    max: limits.leased(query.max, { usual: HELD_MOST, pointer: "?max" }),
    leaseMs: query.leaseMs ?? LEASE_MS,
  };
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
  for (const name of names) {
    runnel.limits.input.checkTopic(name, "?topic");
    authorize(identity, "subscribe", name);
  }
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
