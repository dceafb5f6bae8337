import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { LEASE_MS, pullSchema } from "../lib/broker/group_input.ts";
import { GROUP_PROBLEMS } from "../lib/broker/problems.ts";
import { parseStart } from "../lib/broker/start.ts";
import { messageJson } from "../lib/codec/message.ts";
import { leasedMessageSchema } from "../lib/codec/message_schema.ts";
import { authorize } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonTextResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";
import { leftOf, whileHeld } from "../lib/http/while_held.ts";

const PULL: RouteDoc = {
  id: "pull",
  group: "Work",
  summary: "Lease messages of a group",
  about:
    "Each message is given to one consumer of a group at a time, until it is acknowledged or the lease ends. The first pull makes the group.",
  right: "consume the topic or pattern",
  body: {
    content: {
      "application/json": {
        schema: pullSchema,
        example: { topic: "jobs", group: "workers", max: 10, waitMs: 20_000 },
      },
    },
  },
  answers: {
    200: {
      about: "Messages, or none where there is nothing to do.",
      content: {
        "application/json": {
          schema: z.object({
            lease: z.string().nullable().meta({
              description: "What holds them, for `POST /ack`; null where there are none.",
            }),
            leaseUntil: z.iso.datetime().nullable(),
            messages: z.array(leasedMessageSchema),
            more: z.boolean().meta({ description: "Whether there is more to do at once." }),
          }).meta({ id: "Pulled" }),
          example: { lease: null, leaseUntil: null, messages: [], more: false },
        },
      },
    },
  },
  problems: [...GROUP_PROBLEMS, "stale_attempt"],
};

/** `POST /pull`: messages of a group, leased to one consumer; it waits for them where it is asked to. */
export function pullRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "pull",
      doc: PULL,
      handle: async (context) => await pull(await source(), context),
    },
  ];
}

async function pull(runnel: App, context: RequestContext): Promise<Response> {
  const { request, identity } = context;
  readQuery(context, {});
  const input = await readJson(request, {
    maxBytes: runnel.config.limits.bodyBytes,
    schema: pullSchema,
  });
  const { topic, group, consumer, attempt } = input;
  const { input: limits } = runnel.limits;
  limits.checkTopic(topic, "#/topic");
  const max = limits.leased(input.max, { usual: 1, pointer: "#/max" });
  authorize(identity, "consume", topic);
  const wanted = {
    name: { sub: topic, group },
    since: parseStart(input.since ?? "latest", "#/since"),
    max,
    leaseMs: input.leaseMs ?? LEASE_MS,
    ...(consumer === undefined ? {} : { consumer }),
    ...(attempt === undefined ? {} : { attempt }),
  };
  const waitMs = leftOf(context, input.waitMs ?? 0);
  const { lease, leaseUntil, messages, more } = await whileHeld(
    context,
    (signal) => runnel.broker.groups.pull(wanted, { waitMs, signal }),
  );
  const head = JSON.stringify({
    lease: lease ?? null,
    leaseUntil: leaseUntil === undefined ? null : new Date(leaseUntil).toISOString(),
  });
  const list = messages.map(({ message, deliveries }) => messageJson(message, { deliveries }));
  return jsonTextResponse(`${head.slice(0, -1)},"messages":[${list.join(",")}],"more":${more}}`);
}

export default {
  fetch: createHandler(pullRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
