import { type App, app } from "../lib/app.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { welcomePage } from "../lib/http/welcome.ts";
import { ackRoutes } from "./ack.ts";
import { batchRoutes } from "./batch.ts";
import { clientRoutes } from "./client.ts";
import { consoleRoutes } from "./console.ts";
import { groupsRoutes } from "./groups.ts";
import { healthRoutes } from "./health.ts";
import { publishRoutes } from "./publish.ts";
import { replyRoutes } from "./reply.ts";
import { requestRoutes } from "./request.ts";
import { pullRoutes } from "./pull.ts";
import { scheduledRoutes } from "./scheduled.ts";
import { subscribeRoutes } from "./subscribe.ts";
import { tokenRoutes } from "./token.ts";
import { topicsRoutes } from "./topics.ts";

/** All functions behind one handler, over one instance. */
export function createMain(
  source: () => Promise<App>,
): { fetch(request: Request): Promise<Response> } {
  const routes: Route[] = [
    { method: "GET", path: "", auth: false, handle: ({ request }) => welcomePage(request.url) },
    ...publishRoutes(source),
    ...batchRoutes(source),
    ...scheduledRoutes(source),
    ...subscribeRoutes(source),
    ...pullRoutes(source),
    ...ackRoutes(source),
    ...requestRoutes(source),
    ...replyRoutes(source),
    ...topicsRoutes(source),
    ...groupsRoutes(source),
    ...tokenRoutes(source),
    ...healthRoutes(source),
    ...clientRoutes(),
    ...consoleRoutes(),
  ];
  return { fetch: createHandler(routes, async () => (await source()).http) };
}

export default createMain(app) satisfies Deno.ServeDefaultExport;
