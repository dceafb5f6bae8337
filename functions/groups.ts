import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { groupSchema, redriveSchema } from "../lib/broker/group_input.ts";
import { requireGroupName } from "../lib/broker/group_name.ts";
import { GROUP_PROBLEMS, REDIS_PROBLEMS } from "../lib/broker/problems.ts";
import { parseStart } from "../lib/broker/start.ts";
import { requirePattern, requireTopic } from "../lib/codec/topic.ts";
import { authorize } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";

const COMMON = {
  group: "Groups",
  right: "manage",
  params: {
    topic: { about: "The topic or pattern that the group consumes.", example: "jobs" },
    group: { about: "The group's name.", example: "workers" },
  },
} as const;

const CONFIGURE: RouteDoc = {
  ...COMMON,
  id: "configureGroup",
  summary: "Make or change a group",
  body: { content: { "application/json": { schema: groupSchema, example: { maxDeliveries: 5 } } } },
  answers: {
    200: {
      about: "The group as it is now.",
      content: {
        "application/json": {
          schema: z.object({
            topic: z.string(),
            group: z.string(),
            maxDeliveries: z.int().min(1),
          }).meta({ id: "GroupConfiguration" }),
          example: { topic: "jobs", group: "workers", maxDeliveries: 5 },
        },
      },
    },
  },
  problems: GROUP_PROBLEMS,
};

const REMOVE: RouteDoc = {
  ...COMMON,
  id: "removeGroup",
  summary: "Delete a group",
  about: "What it holds goes with it; the topic's messages stay.",
  answers: { 204: { about: "The group is gone." } },
  problems: [...GROUP_PROBLEMS, "not_found"],
};

const REDRIVE: RouteDoc = {
  id: "redrive",
  group: "Groups",
  summary: "Put dead letters back",
  about: "To the groups that gave them up, which get them as if for the first time.",
  right: "manage",
  params: { topic: { about: "The topic that they were published to.", example: "jobs" } },
  body: { content: { "application/json": { schema: redriveSchema, example: {} } } },
  answers: {
    200: {
      about: "What was put back.",
      content: {
        "application/json": {
          schema: z.object({
            redriven: z.int().min(0).meta({ description: "How many were put back." }),
            unknown: z.array(z.string()).meta({ description: "Ids that are no dead letters." }),
          }).meta({ id: "Redriven" }),
          example: { redriven: 2, unknown: [] },
        },
      },
    },
  },
  problems: [...REDIS_PROBLEMS, "invalid_topic"],
};

/** Under `/topics/{topic}`, where `{topic}` may be a pattern: making and deleting its groups, and `redrive`. */
export function groupsRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "PUT",
      path: "topics/:topic/groups/:group",
      manages: true,
      doc: CONFIGURE,
      handle: async (context) => await configure(await source(), context),
    },
    {
      method: "DELETE",
      path: "topics/:topic/groups/:group",
      manages: true,
      doc: REMOVE,
      handle: async (context) => {
        const name = nameOf(context);
        readQuery(context, {});
        await (await source()).broker.groups.remove(name);
        return new Response(null, { status: 204 });
      },
    },
    {
      method: "POST",
      path: "topics/:topic/redrive",
      manages: true,
      doc: REDRIVE,
      handle: async (context) => await redrive(await source(), context),
    },
  ];
}

async function configure(runnel: App, context: RequestContext): Promise<Response> {
  const name = nameOf(context);
  runnel.limits.input.checkTopic(name.sub, "/{topic}");
  readQuery(context, {});
  const { since = "latest", maxDeliveries } = await readJson(context.request, {
    maxBytes: runnel.config.limits.bodyBytes,
    schema: groupSchema,
  });
  const start = parseStart(since, "#/since");
  const { groups } = runnel.broker;
  const set = await groups.configure(name, { since: start, maxDeliveries });
  return jsonResponse({ topic: name.sub, group: name.group, maxDeliveries: set.maxDeliveries });
}

async function redrive(runnel: App, context: RequestContext): Promise<Response> {
  const { params: { topic = "" }, identity, request } = context;
  requireTopic(topic, "/{topic}");
  authorize(identity, "manage", topic);
  readQuery(context, {});
  const which = await readJson(request, {
    maxBytes: runnel.config.limits.bodyBytes,
    schema: redriveSchema,
  });
  return jsonResponse(await runnel.broker.groups.redrive(topic, which));
}

function nameOf({ params: { topic = "", group = "" }, identity }: RequestContext) {
  const sub = requirePattern(topic, "/{topic}");
  const name = { sub, group: requireGroupName(group, "/{group}") };
  authorize(identity, "manage", sub);
  return name;
}

export default {
  fetch: createHandler(groupsRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
