import { type App, app } from "../lib/app.ts";
import { LEASE_MS, pullSchema } from "../lib/broker/group_input.ts";
import { parseStart } from "../lib/broker/start.ts";
import { messageJson } from "../lib/codec/message.ts";
import { authorize } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonTextResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";
import { leftOf, whileHeld } from "../lib/http/while_held.ts";

/** `POST /pull`: messages of a group, leased to one consumer; it waits for them where it is asked to. */
export function pullRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "pull",
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
