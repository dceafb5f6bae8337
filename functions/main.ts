import { type App, app } from "../lib/app.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { docsRoutes } from "./docs.ts";
import { apiRoutes } from "./openapi.ts";

/** Every route there is. */
export function allRoutes(source: () => Promise<App>): Route[] {
  return [...apiRoutes(source), ...docsRoutes()];
}

/** All functions behind one handler, over one instance. */
export function createMain(
  source: () => Promise<App>,
): { fetch(request: Request): Promise<Response> } {
  return { fetch: createHandler(allRoutes(source), async () => (await source()).http) };
}

export default createMain(app) satisfies Deno.ServeDefaultExport;
