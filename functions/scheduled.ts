import { type App, app } from "../lib/app.ts";
import { REDIS_PROBLEMS } from "../lib/broker/problems.ts";
import { RunnelError } from "../lib/errors.ts";
import { authorize, type Identity } from "../lib/http/identity.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { readQuery } from "../lib/http/query.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";

const CANCEL: RouteDoc = {
  id: "cancelScheduled",
  group: "Publish",
  summary: "Cancel a message that is kept for later",
  right: "publish to its topic, or manage",
  params: { token: { about: "What publishing it answered as `scheduled.token`.", example: "x7" } },
  answers: { 204: { about: "It will not be published." } },
  problems: [...REDIS_PROBLEMS, "not_found"],
};

/** `DELETE /scheduled/{token}`: cancels a message that is kept for later. */
export function scheduledRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "DELETE",
      path: "scheduled/:token",
      doc: CANCEL,
      handle: async ({ params: { token = "" }, search, identity }) => {
        readQuery({ search }, {});
        const { broker } = await source();
        await authorizeCancel(broker, identity, token);
        if (await broker.cancelScheduled(token)) {
          return new Response(null, { status: 204 });
        }
        throw new RunnelError("not_found", "No message is kept for later under this token");
      },
    },
  ];
}

/** Whoever could have published a message may cancel it, and whoever manages topics. */
async function authorizeCancel(
  broker: App["broker"],
  identity: Identity,
  token: string,
): Promise<void> {
  if (identity.may("manage", "**") || identity.may("publish", "**")) return;
  const topic = await broker.topicOfScheduled(token);
  if (topic !== undefined) authorize(identity, "publish", topic);
}

export default {
  fetch: createHandler(scheduledRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
