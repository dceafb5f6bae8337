import { type App, app } from "../lib/app.ts";
import { ackSchema, LEASE_MS } from "../lib/broker/group_input.ts";
import { authorize } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";

/** `POST /ack`: what became of messages that a group's consumer holds, or that a subscriber confirms. */
export function ackRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "ack",
      handle: async (context) => await ack(await source(), context),
    },
  ];
}

async function ack(runnel: App, context: RequestContext): Promise<Response> {
  const { request, identity } = context;
  readQuery(context, {});
  const input = await readJson(request, {
    maxBytes: runnel.config.limits.bodyBytes,
    schema: ackSchema,
  });
  const { topic, group, subscription = "", lease, outcome: kind = "ack" } = input;
  const ids = [...new Set(input.ids)];
  if (group === undefined) {
    authorize(identity, "subscribe", topic);
    return jsonResponse(await runnel.broker.confirm(topic, ids, subscription));
  }
  authorize(identity, "consume", topic);
  const { done, unknown } = await runnel.broker.groups.settle({
    kind,
    name: { sub: topic, group },
    ids,
    ...(lease === undefined ? {} : { lease }),
    ...(kind === "nack" ? { delayMs: input.delayMs ?? 0 } : {}),
    ...(kind === "extend" ? { leaseMs: input.leaseMs ?? LEASE_MS } : {}),
  });
  return jsonResponse({ done, unknown });
}

export default {
  fetch: createHandler(ackRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
