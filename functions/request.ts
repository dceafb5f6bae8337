import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { STORING_PROBLEMS } from "../lib/broker/problems.ts";
import { requestBody, requestSchema } from "../lib/broker/request_input.ts";
import { messageJson } from "../lib/codec/message.ts";
import { messageSchema } from "../lib/codec/message_schema.ts";
import { readTraceparent, withTraceparent } from "../lib/codec/traceparent.ts";
import { authorize } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonTextResponse } from "../lib/http/json_response.ts";
import { QUOTA_HEADERS } from "../lib/http/publish_quota.ts";
import { readQuery } from "../lib/http/query.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";
import { leftOf, whileHeld } from "../lib/http/while_held.ts";
import { sending } from "../lib/metrics/tracing.ts";

const REPLY = {
  id: null,
  topic: "$inbox.3b241101-e2bb-4255-8caf-4136c566a962",
  time: "2026-01-01T00:00:00.000Z",
  data: 3,
};

const REQUEST: RouteDoc = {
  id: "request",
  group: "Request and reply",
  summary: "Ask, and wait for the answer",
  about: "The message carries `replyTo`; whoever gets it answers with `POST /reply`.",
  right: "publish to the topic",
  body: {
    content: {
      "application/json": {
        schema: requestSchema,
        example: { topic: "sums", data: [1, 2], timeoutMs: 5_000 },
      },
    },
  },
  answers: {
    200: {
      about: "The first reply, or where `replies` is given a list of so many, or fewer in time.",
      content: {
        "application/json": {
          schema: z.union([
            messageSchema,
            z.object({ replies: z.array(messageSchema) }).meta({ id: "Replies" }),
          ]),
          example: REPLY,
        },
      },
      headers: QUOTA_HEADERS,
    },
  },
  problems: [...STORING_PROBLEMS, "invalid_topic", "no_reply", "too_many_requests"],
};

/** `POST /request`: publishes a message and answers with the first reply, or with as many as were asked for. */
export function requestRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "request",
      doc: REQUEST,
      handle: async (context) => {
        const runnel = await source();
        readQuery(context, {});
        const { request, identity } = context;
        const { bodyBytes: maxBytes } = runnel.config.limits;
        const input = await readJson(request, { maxBytes, schema: requestSchema });
        authorize(identity, "publish", input.topic);
        const { input: limits, quota, requests } = runnel.limits;
        limits.checkMessage(input, () => requestBody(input));
        const leave = requests.take(identity.name);
        try {
          const headers = (await quota?.take(identity.name, 1))?.headers;
          const timeoutMs = Math.max(1, leftOf(context, input.timeoutMs));
          const what = {
            topic: input.topic,
            own: readTraceparent(input.headers?.traceparent),
            header: readTraceparent(request.headers.get("traceparent")),
          };
          const replies = await sending(runnel.tracing, what, ({ traceparent }) => {
            const traced = withTraceparent({ ...input, timeoutMs }, traceparent);
            return whileHeld(context, (signal) => runnel.broker.request(traced, signal));
          });
          const texts = replies.map((reply) => messageJson(reply)).join(",");
          const json = input.replies === undefined ? texts : `{"replies":[${texts}]}`;
          return jsonTextResponse(json, { headers });
        } finally {
          leave();
        }
      },
    },
  ];
}

export default {
  fetch: createHandler(requestRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
