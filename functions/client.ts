import { app } from "../lib/app.ts";
import { SCRIPT, TYPES } from "../lib/client/built.ts";
import { assetResponse } from "../lib/http/asset_response.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import type { AnswerDoc, RouteDoc } from "../lib/http/route_doc.ts";

const HEADERS = {
  etag: "Names this very content.",
  "cache-control": "How long it is good without asking again.",
};

const COMMON = {
  group: "Client",
  headers: { "if-none-match": { about: "The `etag` of what is there already." } },
} as const;

function answersOf(content: AnswerDoc["content"]): RouteDoc["answers"] {
  return {
    200: { about: "The file.", ...(content === undefined ? {} : { content }), headers: HEADERS },
    304: { about: "It is what is there already.", headers: HEADERS },
  };
}

const CLIENT: RouteDoc = {
  ...COMMON,
  id: "client",
  summary: "The client",
  about:
    "One ES module without dependencies, for pages, Deno and Node. How it is used is at `/docs/client`.",
  answers: answersOf({ "text/javascript": { about: "An ES module." } }),
  curl: "curl -O /client.js",
};

const CLIENT_TYPES: RouteDoc = {
  ...COMMON,
  id: "clientTypes",
  summary: "The client's types",
  about: "Deno and editors find them by themselves.",
  answers: answersOf({ "application/typescript": { about: "TypeScript declarations." } }),
  curl: "curl -O /client.d.ts",
};

/** `GET /client.js`, the client for pages, Deno and Node, and `GET /client.d.ts`, its types. */
export function clientRoutes(): Route[] {
  return [
    {
      method: "GET",
      path: "client.js",
      doc: CLIENT,
      auth: false,
      handle: async (context) => {
        const response = await assetResponse(SCRIPT, context);
        // Deno and editors find its types by it
        response.headers.set("x-typescript-types", "./client.d.ts");
        return response;
      },
    },
    {
      method: "GET",
      path: "client.d.ts",
      doc: CLIENT_TYPES,
      auth: false,
      handle: (context) => assetResponse(TYPES, context),
    },
  ];
}

export default {
  fetch: createHandler(clientRoutes(), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
