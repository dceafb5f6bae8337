import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { REDIS_PROBLEMS } from "../lib/broker/problems.ts";
import { topicListSchema, topicSchema } from "../lib/broker/topic_schema.ts";
import type { VisibleTopics } from "../lib/broker/topics.ts";
import { messageSchema } from "../lib/codec/message_schema.ts";
import { requirePublishTopic, requireTopic } from "../lib/codec/topic.ts";
import { type Id, parseId } from "../lib/codec/id.ts";
import { RunnelError } from "../lib/errors.ts";
import { type Action, authorizeAny, type Identity, prefixesOf } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse, jsonTextResponse } from "../lib/http/json_response.ts";
import { integer, oneOf, readQuery, text } from "../lib/http/query.ts";
import { queryDoc, type RouteDoc } from "../lib/http/route_doc.ts";

const PAGE = 100;
const PAGE_MOST = 1_000;
const limit = integer({ min: 1, max: PAGE_MOST });
const LIST = { prefix: text(), after: text(), limit };
const HISTORY = { after: text(), before: text(), limit, order: oneOf("asc", "desc") };

const retentionSchema = z.strictObject({
  maxMessages: z.int().min(1).max(1_000_000_000).nullable().optional(),
  maxAgeMs: z.int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().optional(),
}).meta({
  id: "Retention",
  description: "How much of a topic is kept: null goes back to the default, what is absent stays.",
});

const ID = "1767225600000-65536";
const EXAMPLE = {
  topic: "orders.eu",
  messages: 1,
  firstId: ID,
  lastId: ID,
  count: 1,
  bytes: 512,
  subscribers: 2,
  retention: { maxMessages: 100_000, maxAgeMs: null },
  groups: [],
};
const MESSAGE = { id: ID, topic: "orders.eu", time: "2026-01-01T00:00:00.000Z", data: 1 };

const COMMON = {
  group: "Topics",
  params: { topic: { about: "The topic.", example: "orders.eu" } },
  problems: [...REDIS_PROBLEMS, "invalid_topic", "not_found"],
} as const;
const DESCRIBED = {
  200: {
    about: "The topic.",
    content: { "application/json": { schema: topicSchema, example: EXAMPLE } },
  },
};

const LIST_DOC: RouteDoc = {
  id: "listTopics",
  group: "Topics",
  summary: "List topics",
  about: "In byte order; those that the credential gives a right on.",
  query: queryDoc(LIST, {
    prefix: "What their names begin with.",
    after: "The list begins after this topic: the `next` of the page before.",
    limit: `Most topics of a page; ${PAGE} if not given.`,
  }, { examples: { prefix: "orders." } }),
  answers: {
    200: {
      about: "Some of the topics.",
      content: {
        "application/json": {
          schema: topicListSchema,
          example: { topics: [{ topic: "orders.eu", count: 1, lastId: ID }] },
        },
      },
    },
  },
  problems: REDIS_PROBLEMS,
};

const DESCRIBE: RouteDoc = {
  ...COMMON,
  id: "describeTopic",
  summary: "Describe a topic",
  right: "subscribe to it, consume it, or manage",
  answers: DESCRIBED,
};

const CONFIGURE: RouteDoc = {
  ...COMMON,
  id: "configureTopic",
  summary: "Set how much of a topic is kept",
  right: "manage",
  body: {
    content: { "application/json": { schema: retentionSchema, example: { maxMessages: 10_000 } } },
  },
  answers: DESCRIBED,
  problems: [...REDIS_PROBLEMS, "invalid_topic", "groups_changed", "groups_unadopted"],
};

const REMOVE: RouteDoc = {
  ...COMMON,
  id: "removeTopic",
  summary: "Delete a topic with its messages",
  right: "manage",
  answers: { 204: { about: "The topic is gone." } },
};

const MESSAGES: RouteDoc = {
  ...COMMON,
  id: "readHistory",
  summary: "Read messages of a topic",
  right: "subscribe to it",
  query: queryDoc(HISTORY, {
    after: "Only messages after this id.",
    before: "Only messages before this id.",
    limit: `Most messages of a page; ${PAGE} if not given.`,
    order: "`asc`, where nothing is said: oldest first. `desc`: newest first.",
  }, { examples: { limit: 10, order: "desc" } }),
  answers: {
    200: {
      about: "A page of messages.",
      content: {
        "application/json": {
          schema: z.object({
            messages: z.array(messageSchema),
            next: z.string().optional().meta({
              description:
                "Where there are more: `after` of the following page, or `before` in order `desc`.",
            }),
          }).meta({ id: "History" }),
          example: { messages: [MESSAGE] },
        },
      },
    },
  },
  problems: [...COMMON.problems, "invalid_cursor"],
};

/** `GET /topics`, and under `/topics/{topic}` its description, history, retention and deletion. */
export function topicsRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "GET",
      path: "topics",
      doc: LIST_DOC,
      handle: async ({ search, identity }) => {
        const { limit = PAGE, ...rest } = readQuery({ search }, LIST);
        const visible = visibleTo(identity);
        const { topics } = (await source()).broker;
        return jsonResponse(await topics.list({ ...rest, limit, visible }));
      },
    },
    {
      method: "GET",
      path: "topics/:topic",
      doc: DESCRIBE,
      handle: async (context) => {
        const topic = topicOf(context, KNOWS);
        readQuery(context, {});
        return jsonResponse(await (await source()).broker.topics.describe(topic));
      },
    },
    {
      method: "PUT",
      path: "topics/:topic",
      manages: true,
      doc: CONFIGURE,
      handle: async (context) => {
        const topic = topicOf(context, ["manage"]);
        readQuery(context, {});
        requirePublishTopic(topic, "/{topic}");
        const runnel = await source();
        runnel.limits.input.checkTopic(topic, "/{topic}");
        const change = await readJson(context.request, {
          maxBytes: runnel.config.limits.bodyBytes,
          schema: retentionSchema,
        });
        return jsonResponse(await runnel.broker.topics.configure(topic, change));
      },
    },
    {
      method: "DELETE",
      path: "topics/:topic",
      manages: true,
      doc: REMOVE,
      handle: async (context) => {
        const topic = topicOf(context, ["manage"]);
        readQuery(context, {});
        await (await source()).broker.topics.remove(topic);
        return new Response(null, { status: 204 });
      },
    },
    {
      method: "GET",
      path: "topics/:topic/messages",
      doc: MESSAGES,
      handle: async (context) => await history(await source(), context),
    },
  ];
}

async function history(runnel: App, context: RequestContext): Promise<Response> {
  const topic = topicOf(context, ["subscribe"]);
  const query = readQuery({ search: context.search }, HISTORY);
  const { messages, next } = await runnel.broker.topics.messages(topic, {
    after: readBound(query.after, "?after"),
    before: readBound(query.before, "?before"),
    limit: query.limit ?? PAGE,
    descending: query.order === "desc",
  });
  const more = next === undefined ? "" : `,"next":"${next}"`;
  return jsonTextResponse(`{"messages":[${messages.join(",")}]${more}}`);
}

function topicOf(
  { params: { topic = "" }, identity }: RequestContext,
  actions: readonly Action[],
) {
  requireTopic(topic, "/{topic}");
  authorizeAny(identity, actions, topic);
  return topic;
}

/** Whoever may do any of this may know of a topic. */
const KNOWS = ["subscribe", "consume", "manage"] as const;

/** Which topics an identity may know of; undefined where that is all. */
function visibleTo(identity: Identity): VisibleTopics | undefined {
  if (identity.may("manage", "**")) return undefined;
  return {
    prefixes: prefixesOf(identity, ["subscribe", "consume"]),
    has: (topic) => KNOWS.some((action) => identity.may(action, topic)),
  };
}

function readBound(value: string | undefined, pointer: string): Id | undefined {
  if (value === undefined) return undefined;
  const id = parseId(value);
  if (id !== undefined) return id;
  const detail = "Expected a message id";
  throw new RunnelError("invalid_cursor", detail, { errors: [{ pointer, detail }] });
}

export default {
  fetch: createHandler(topicsRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
