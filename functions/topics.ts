import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import type { VisibleTopics } from "../lib/broker/topics.ts";
import { requirePublishTopic, requireTopic } from "../lib/codec/topic.ts";
import { type Id, parseId } from "../lib/codec/id.ts";
import { RunnelError } from "../lib/errors.ts";
import { type Action, authorizeAny, type Identity, prefixesOf } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse, jsonTextResponse } from "../lib/http/json_response.ts";
import { integer, oneOf, readQuery, text } from "../lib/http/query.ts";

const PAGE = 100;
const PAGE_MOST = 1_000;
const limit = integer({ min: 1, max: PAGE_MOST });
const LIST = { prefix: text(), after: text(), limit };
const HISTORY = { after: text(), before: text(), limit, order: oneOf("asc", "desc") };

const retentionSchema = z.strictObject({
  maxMessages: z.int().min(1).max(1_000_000_000).nullable().optional(),
  maxAgeMs: z.int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().optional(),
});

/** `GET /topics`, and under `/topics/{topic}` its description, history, retention and deletion. */
export function topicsRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "GET",
      path: "topics",
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
