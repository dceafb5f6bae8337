import { type App, app } from "../lib/app.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse } from "../lib/http/json_response.ts";

/** `GET /health/live`: the process answers. `GET /health/ready`: Redis takes messages. Both are open to all. */
export function healthRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "GET",
      path: "health/live",
      auth: false,
      handle: () => jsonResponse({ status: "ok" }),
    },
    {
      method: "GET",
      path: "health/ready",
      auth: false,
      handle: async () => {
        const { generation } = await (await source()).broker.check();
        return jsonResponse({ status: "ready", redis: { generation } });
      },
    },
  ];
}

export default {
  fetch: createHandler(healthRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
