import { type App, app } from "../lib/app.ts";
import { LEASE_MS, pullSchema } from "../lib/broker/group_input.ts";
import { parseStart } from "../lib/broker/start.ts";
import { messageJson } from "../lib/codec/message.ts";
import { authorize, type Identity, requireUnended } from "../lib/http/identity.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonTextResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";

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
  const waitMs = Math.min(input.waitMs ?? 0, leftOf(identity));
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

/** How long a credential is still good, in milliseconds: nothing is leased after it. */
function leftOf({ expiresAt = Infinity }: Identity): number {
  return Math.max(0, expiresAt - Date.now());
}

/** Waits for something no longer than the client does, and than its credential is taken. */
async function whileHeld<T>(
  { identity, signal }: RequestContext,
  work: (ends: AbortSignal) => Promise<T>,
): Promise<T> {
  const { revoked } = identity;
  try {
    return await work(revoked === undefined ? signal : AbortSignal.any([signal, revoked]));
  } catch (error) {
    requireUnended(identity);
    throw error;
  }
}

export default {
  fetch: createHandler(pullRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
