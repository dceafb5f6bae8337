import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { REDIS_PROBLEMS } from "../lib/broker/problems.ts";
import { replyBody, replySchema } from "../lib/broker/request_input.ts";
import { readTraceparent, withTraceparent } from "../lib/codec/traceparent.ts";
import { readJson } from "../lib/http/body.ts";
import { authorizeAny, type Identity } from "../lib/http/identity.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { QUOTA_HEADERS } from "../lib/http/publish_quota.ts";
import { readQuery } from "../lib/http/query.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";
import { sending } from "../lib/metrics/tracing.ts";

const REPLY: RouteDoc = {
  id: "reply",
  group: "Request and reply",
  summary: "Answer a request",
  right: "subscribe to or consume the request's topic",
  body: {
    content: {
      "application/json": {
        schema: replySchema,
        example: { replyTo: "$inbox.3b241101-e2bb-4255-8caf-4136c566a962", data: 3 },
      },
    },
  },
  answers: {
    202: {
      about: "Whoever asked gets it.",
      content: { "application/json": { schema: z.object({}), example: {} } },
      headers: QUOTA_HEADERS,
    },
  },
  problems: [
    ...REDIS_PROBLEMS,
    "requester_gone",
    "idempotency_conflict",
    "outcome_unknown",
    "overloaded",
    "shutting_down",
    "rate_limited",
  ],
};

/** `POST /reply`: hands a reply to whoever waits for it; whoever may get the request may reply to it. */
export function replyRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "reply",
      doc: REPLY,
      handle: async (context) => {
        const runnel = await source();
        readQuery(context, {});
        const { bodyBytes: maxBytes } = runnel.config.limits;
        const input = await readJson(context.request, { maxBytes, schema: replySchema });
        await authorizeReply(runnel, context.identity, input.replyTo);
        const { input: limits, quota } = runnel.limits;
        limits.checkMessage({ headers: input.headers }, () => replyBody(input));
        const headers = (await quota?.take(context.identity.name, 1))?.headers;
        const what = {
          topic: "reply",
          own: readTraceparent(input.headers?.traceparent),
          header: readTraceparent(context.request.headers.get("traceparent")),
        };
        await sending(
          runnel.tracing,
          what,
          ({ traceparent }) => runnel.broker.reply(withTraceparent(input, traceparent)),
        );
        return jsonResponse({}, { status: 202, headers });
      },
    },
  ];
}

/** The address alone gives no right: it may have come to somebody who may not read the topic. */
async function authorizeReply(runnel: App, identity: Identity, replyTo: string): Promise<void> {
  if (READS.some((action) => identity.may(action, "**"))) return;
  const topic = await runnel.broker.topicOfRequest(replyTo);
  // to one that is over nothing can be said any more
  if (topic !== undefined) authorizeAny(identity, READS, topic);
}

const READS = ["consume", "subscribe"] as const;

export default {
  fetch: createHandler(replyRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
