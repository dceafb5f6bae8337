import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { type Grants, grantsSchema, TOPIC_ACTIONS } from "../lib/codec/grants.ts";
import { REDIS_PROBLEMS } from "../lib/broker/problems.ts";
import { RunnelError } from "../lib/errors.ts";
import { readJson } from "../lib/http/body.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { authorize, type Identity } from "../lib/http/identity.ts";
import { jsonResponse } from "../lib/http/json_response.ts";
import { readQuery } from "../lib/http/query.ts";
import type { RouteDoc } from "../lib/http/route_doc.ts";

const TTL_MS = 30_000;
const TTL_LEAST_MS = 1_000;
const TTL_MOST_MS = 300_000;

const tokenSchema = grantsSchema.omit({ manage: true }).extend({
  ttlMs: z.int().min(TTL_LEAST_MS).max(TTL_MOST_MS).default(TTL_MS).meta({
    description: "How long it can be used, in milliseconds.",
  }),
}).meta({ id: "TicketRequest" });

const TOKEN: RouteDoc = {
  id: "issueTicket",
  group: "Tickets",
  summary: "Get a ticket for a browser",
  about:
    "For where no header can be sent, as by `EventSource`: it is given as `?ticket=`, once. What it opened can be opened again with the cookie that comes with the answer. It gives some of the caller's rights, or all but managing where none is named.",
  right: "each right that the ticket is to give",
  body: { content: { "application/json": { schema: tokenSchema, example: { subscribe: ["a"] } } } },
  answers: {
    200: {
      about: "The ticket.",
      content: {
        "application/json": {
          schema: z.object({ ticket: z.string(), expiresAt: z.iso.datetime() }).meta({
            id: "Ticket",
          }),
          example: { ticket: "eyJhbGciOiJIUzI1NiJ9.e30.x", expiresAt: "2026-01-01T00:00:30.000Z" },
        },
      },
    },
  },
  problems: REDIS_PROBLEMS,
};

/** `POST /token`: a ticket that is used once, for some of what the caller may do, or all of it but managing. */
export function tokenRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "POST",
      path: "token",
      doc: TOKEN,
      handle: async (context) => await issue(await source(), context),
    },
  ];
}

async function issue(runnel: App, context: RequestContext): Promise<Response> {
  const { request, identity } = context;
  readQuery(context, {});
  const { ttlMs, ...wanted } = await readJson(request, {
    maxBytes: runnel.config.limits.bodyBytes,
    schema: tokenSchema,
  });
  if (identity.isTicket) {
    throw new RunnelError("forbidden", "A ticket gives no right to further tickets");
  }
  const grants = narrowed(identity, wanted);
  const { ticket, expiresAt } = await runnel.tickets.issue(identity, { grants, ttlMs });
  return jsonResponse({ ticket, expiresAt: new Date(expiresAt).toISOString() });
}

/** What is asked for, none of which may be more than the caller has; where nothing is named, all that it has. */
function narrowed(identity: Identity, wanted: Grants): Grants {
  const names = TOPIC_ACTIONS.filter((action) => wanted[action] !== undefined);
  if (names.length === 0) {
    const { publish, subscribe, consume } = identity.grants ?? EVERYTHING;
    return { publish, subscribe, consume };
  }
  for (const action of names) {
    for (const topic of wanted[action] ?? []) authorize(identity, action, topic);
  }
  return wanted;
}

const EVERYTHING: Grants = { publish: ["**"], subscribe: ["**"], consume: ["**"] };

export default {
  fetch: createHandler(tokenRoutes(app), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
