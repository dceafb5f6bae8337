import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import type { Readiness } from "../lib/broker/broker.ts";
import { REDIS_PROBLEMS } from "../lib/broker/problems.ts";
import { ERRORS, type RunnelError } from "../lib/errors.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";

const LIVE: RouteDoc = {
  id: "live",
  group: "Server",
  summary: "Whether the process answers",
  answers: {
    200: {
      about: "It does.",
      content: {
        "application/json": {
          schema: z.object({ status: z.literal("ok") }),
          example: { status: "ok" },
        },
      },
    },
  },
};

const READY: RouteDoc = {
  id: "ready",
  group: "Server",
  summary: "Whether Redis takes messages, and they come",
  about:
    "A probe goes through Redis and back: where messages are stored, but not delivered as they come, it is `feed_silent`. Answered from one check for all who ask meanwhile.",
  answers: {
    200: {
      about: "It does; where there are several, at least one of them.",
      content: {
        "application/json": {
          schema: z.object({
            status: z.enum(["ready", "degraded"]),
            redis: z.object({
              generation: z.int().min(0).meta({ description: "The present primary's reign." }),
            }),
            shards: z.array(z.object({
              shard: z.int().min(1),
              status: z.enum(["ready", "down"]),
              code: z.enum(Object.keys(ERRORS)).optional(),
            })).optional().meta({ description: "Each Redis server, where there are several." }),
          }).meta({ id: "Readiness" }),
          example: { status: "ready", redis: { generation: 1 } },
        },
      },
    },
  },
  problems: [...REDIS_PROBLEMS, "feed_silent"],
};

/**
 * `GET /health/live`: the process answers. `GET /health/ready`: Redis takes messages, and what is published now comes
 * to this process, as a probe shows; where some of several do not, it is ready all the same, since the topics of the
 * others work, and says which. Both are open to all.
 */
export function healthRoutes(source: () => Promise<App>): Route[] {
  // open to all, so that many who ask must not make many checks: whoever comes meanwhile gets the one under way
  let checking: Promise<Readiness> | undefined;
  const check = () =>
    checking ??= source().then(({ broker }) => broker.check()).finally(() => checking = undefined);
  return [
    {
      method: "GET",
      path: "health/live",
      doc: LIVE,
      auth: false,
      handle: () => jsonResponse({ status: "ok" }),
    },
    {
      method: "GET",
      path: "health/ready",
      doc: READY,
      auth: false,
      handle: async () => {
        const { generation, shards } = await check();
        const isReady = shards.every((failure) => failure === undefined);
        return jsonResponse({
          status: isReady ? "ready" : "degraded",
          redis: { generation },
          ...(shards.length < 2 ? {} : { shards: shards.map(shardJson) }),
        });
      },
    },
  ];
}

/** A Redis server by its place among all; where it is, is nobody's business here. */
function shardJson(failure: RunnelError | undefined, place: number): Record<string, unknown> {
  return failure === undefined
    ? { shard: place + 1, status: "ready" }
    : { shard: place + 1, status: "down", code: failure.code };
}

export default {
  fetch: createHandler(healthRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
