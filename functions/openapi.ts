import { z } from "zod";
import { type App, app } from "../lib/app.ts";
import { DOC_ROUTES } from "../lib/docs/doc_routes.ts";
import { type AsyncApiDocument, asyncApiDocument, atServer } from "../lib/http/asyncapi.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { jsonResponse, jsonTextResponse } from "../lib/http/json_response.ts";
import { type ApiInfo, type DescribedRoute, openApiDocument } from "../lib/http/openapi.ts";
import { pageDoc, type RouteDoc } from "../lib/http/route_doc.ts";
import { welcomePage } from "../lib/http/welcome.ts";
import { ackRoutes } from "./ack.ts";
import { batchRoutes } from "./batch.ts";
import { clientRoutes } from "./client.ts";
import { consoleRoutes } from "./console.ts";
import { groupsRoutes } from "./groups.ts";
import { healthRoutes } from "./health.ts";
import { metricsRoutes } from "./metrics.ts";
import { publishRoutes } from "./publish.ts";
import { pullRoutes } from "./pull.ts";
import { replyRoutes } from "./reply.ts";
import { requestRoutes } from "./request.ts";
import { scheduledRoutes } from "./scheduled.ts";
import { subscribeRoutes } from "./subscribe.ts";
import { tokenRoutes } from "./token.ts";
import { topicsRoutes } from "./topics.ts";

const INFO: ApiInfo = {
  title: "Runnel",
  version: "1",
  description:
    "Durable topics over HTTP and Server-Sent Events.\n\nErrors are problem documents (RFC 9457) with a `code`; every answer carries `x-request-id`. `HEAD` is answered as `GET` without a body, `OPTIONS` as a CORS preflight, and a method that there is not with 405. A name in a path is one percent-encoded segment. Any prefix may stand before the paths. What the streams carry is in `asyncapi.json`.",
  groups: {
    Publish: "Messages in.",
    Subscribe: "Messages out, as they come, and from any point before.",
    Work: "Each message to one of a group's consumers, until it says that it is done.",
    "Request and reply": "A question to whoever listens, and its answer.",
    Topics: "What there is, and how much of it is kept.",
    Groups: "Who shares the work of a topic.",
    Tickets: "Credentials for browsers.",
    Client: "For JavaScript and TypeScript.",
    Server: "How it is, and what it can do.",
    Pages: "For people.",
  },
};

const OPENAPI: RouteDoc = {
  id: "openapi",
  group: "Server",
  summary: "This description",
  answers: {
    200: {
      about: "An OpenAPI 3.1 document.",
      content: { "application/json": { schema: z.looseObject({ openapi: z.literal("3.1.1") }) } },
    },
  },
};

const ASYNCAPI: RouteDoc = {
  id: "asyncapi",
  group: "Server",
  summary: "The description of the streams",
  answers: {
    200: {
      about: "An AsyncAPI 3 document.",
      content: { "application/json": { schema: z.looseObject({ asyncapi: z.literal("3.0.0") }) } },
    },
  },
};

/** Every route but those of the documentation. */
export function apiRoutes(source: () => Promise<App>): Route[] {
  return [
    {
      method: "GET",
      path: "",
      auth: false,
      doc: pageDoc({ id: "welcome", summary: "What runs here" }),
      handle: async ({ request }) => {
        const { gate } = (await source()).http;
        return welcomePage(request.url, { isOpen: gate.isOpen });
      },
    },
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
    ...metricsRoutes(source),
    ...clientRoutes(),
    ...consoleRoutes(),
    ...openapiRoutes(),
  ];
}

/** `GET /openapi.json` and `GET /asyncapi.json`: what there is, for programs. Open to all, as they say nothing of the data. */
export function openapiRoutes(): Route[] {
  return [
    {
      method: "GET",
      path: "openapi.json",
      auth: false,
      doc: OPENAPI,
      handle: () => jsonTextResponse(apiText()),
    },
    {
      method: "GET",
      path: "asyncapi.json",
      auth: false,
      doc: ASYNCAPI,
      handle: (context) => jsonResponse(streamsDocument(context)),
    },
  ];
}

let text: string | undefined;
let streams: AsyncApiDocument | undefined;

/** The API as an OpenAPI document, made once. */
export function apiText(): string {
  return text ??= JSON.stringify(openApiDocument(described(), INFO));
}

function streamsDocument({ url }: RequestContext): AsyncApiDocument {
  streams ??= asyncApiDocument(described(), INFO);
  return atServer(streams, new URL(".", url));
}

function described(): DescribedRoute[] {
  const nowhere = () => Promise.reject(new TypeError("Cannot serve: it is only described"));
  return [...apiRoutes(nowhere), ...Object.values(DOC_ROUTES)];
}

export default {
  fetch: createHandler(openapiRoutes(), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
