import { type App, app } from "../lib/app.ts";
import { createHandler } from "../lib/http/handler.ts";
import { docsRoutes } from "./docs.ts";
import { apiRoutes } from "./openapi.ts";

/** All functions behind one handler, over one instance. */
export function createMain(
  source: () => Promise<App>,
): { fetch(request: Request): Promise<Response> } {
  const routes = [...apiRoutes(source), ...docsRoutes()];
  return { fetch: createHandler(routes, async () => (await source()).http) };
}

export default createMain(app) satisfies Deno.ServeDefaultExport;
