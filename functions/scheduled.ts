import { type App, app } from "../lib/app.ts";
import { RunnelError } from "../lib/errors.ts";
import { authorize } from "../lib/http/auth.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { readQuery } from "../lib/http/query.ts";

/** `DELETE /scheduled/{token}`: cancels a message that is kept for later. */
export function scheduledRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "DELETE",
      path: "scheduled/:token",
      handle: async ({ params: { token = "" }, search, identity }) => {
        authorize(identity, "manage", "**");
        readQuery({ search }, {});
        if (await (await source()).broker.cancelScheduled(token)) {
          return new Response(null, { status: 204 });
        }
        throw new RunnelError("not_found", "No message is kept for later under this token");
      },
    },
  ];
}

export default {
  fetch: createHandler(scheduledRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
