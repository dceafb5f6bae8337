import { type App, app } from "../lib/app.ts";
import { STATS_TOPIC } from "../lib/codec/topic.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { authorize } from "../lib/http/identity.ts";
import { readQuery } from "../lib/http/query.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";

/** How long a scrape waits for what is to be found out at Redis, in milliseconds. */
const SURVEY_MS = 2_000;

const METRICS: RouteDoc = {
  id: "metrics",
  group: "Server",
  summary: "Figures for Prometheus",
  about:
    "What this process counted, and the state of the deployment. Where Redis is away it is answered without what only Redis knows. Every figure is explained at `/docs/metrics`.",
  right: "manage, or to subscribe to `$stats`",
  answers: {
    200: {
      about: "The figures.",
      content: {
        "text/plain": {
          about: "The text format of Prometheus, version 0.0.4.",
          example: 'runnel_redis_up{shard="1"} 1\n',
        },
      },
    },
  },
  curl: "curl /metrics",
};

/**
 * `GET /metrics`: what this process counted, and the state of the deployment, as Prometheus reads it. It is for who may
 * subscribe to `$stats`. Where Redis is away it is answered without what only Redis knows.
 */
export function metricsRoutes(source: () => Promise<App>): Route[] {
  return [{
    method: "GET",
    path: "metrics",
    doc: METRICS,
    handle: async (context) => {
      readQuery(context, {});
      authorize(context.identity, "subscribe", STATS_TOPIC);
      const { broker, metrics } = await source();
      const { metricsPage } = await import("../lib/metrics/page.ts");
      broker.start();
      const { redis = [], census } = await broker.survey.look(SURVEY_MS);
      const { text, contentType } = await metricsPage({
        ...{ metrics, redis, census },
        build: { deno: Deno.version.deno, v8: Deno.version.v8, process: broker.processId },
        memory: memoryOf(),
      });
      return new Response(text, { headers: { "content-type": contentType } });
    },
  }];
}

// hosts differ in what they let a function know
function memoryOf() {
  try {
    return Deno.memoryUsage();
  } catch {
    return undefined;
  }
}

export default {
  fetch: createHandler(metricsRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
