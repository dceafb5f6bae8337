import { type App, app } from "../lib/app.ts";
import { groupSchema, redriveSchema } from "../lib/broker/group_input.ts";
import { requireGroupName } from "../lib/broker/group_name.ts";
import { parseStart } from "../lib/broker/start.ts";
import { requirePattern, requireTopic } from "../lib/codec/topic.ts";
import { authorize } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";

/** Under `/topics/{topic}`, where `{topic}` may be a pattern: making and deleting its groups, and `redrive`. */
export function groupsRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "PUT",
      path: "topics/:topic/groups/:group",
      manages: true,
      handle: async (context) => await configure(await source(), context),
    },
    {
      method: "DELETE",
      path: "topics/:topic/groups/:group",
      manages: true,
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
