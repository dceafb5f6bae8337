import { app } from "../lib/app.ts";
import { SCRIPT, TYPES } from "../lib/client/built.ts";
import { assetResponse } from "../lib/http/asset_response.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";

/** `GET /client.js`, the client for pages, Deno and Node, and `GET /client.d.ts`, its types. */
export function clientRoutes(): Route[] {
  return [
    {
      method: "GET",
      path: "client.js",
      auth: false,
      handle: (context) => {
        const response = assetResponse(SCRIPT, context);
        // Deno and editors find its types by it
        response.headers.set("x-typescript-types", "./client.d.ts");
        return response;
      },
    },
    {
      method: "GET",
      path: "client.d.ts",
      auth: false,
      handle: (context) => assetResponse(TYPES, context),
    },
  ];
}

export default {
  fetch: createHandler(clientRoutes(), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
