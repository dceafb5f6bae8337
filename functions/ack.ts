import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { ackSchema, LEASE_MS } from "../lib/broker/group_input.ts";
import { GROUP_PROBLEMS } from "../lib/broker/problems.ts";
import { authorize } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";

const ACK: RouteDoc = {
  id: "ack",
  group: "Work",
  summary: "Say what became of messages",
  about:
    "With `group`, of those a consumer holds: `ack` ends them, `nack` gives them back, `extend` keeps them. With `subscription`, a subscriber confirms them to a publisher that waits for it.",
  right: "consume the topic; with `subscription`, subscribe to it",
  body: {
    content: {
      "application/json": {
        schema: ackSchema,
        example: { topic: "jobs", group: "workers", ids: ["1767225600000-65536"] },
      },
    },
  },
  answers: {
    200: {
      about: "What was done.",
      content: {
        "application/json": {
          schema: z.object({
            done: z.int().min(0).meta({ description: "How many of the messages it was done to." }),
            unknown: z.array(z.string()).meta({
              description: "Those that the group does not hold, or nobody waits for.",
            }),
          }).meta({ id: "Acknowledged" }),
          example: { done: 1, unknown: [] },
        },
      },
    },
  },
  problems: GROUP_PROBLEMS,
};

/** `POST /ack`: what became of messages that a group's consumer holds, or that a subscriber confirms. */
export function ackRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "ack",
      doc: ACK,
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
