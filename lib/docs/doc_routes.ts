import type { Route } from "../http/handler.ts";
import { pageDoc } from "../http/route_doc.ts";

/** The routes of the documentation, without what answers them: the API's description, which it shows, names them too. */
export const DOC_ROUTES = {
  reference: {
    method: "GET",
    path: "docs",
    auth: false,
    doc: pageDoc({ id: "docs", summary: "The API for people" }),
  },
  page: {
    method: "GET",
    path: "docs/:page",
    auth: false,
    doc: {
      ...pageDoc({
        id: "docsPage",
        summary: "A page of the documentation",
        params: { page: { about: "The page's name.", example: "how_it_works" } },
      }),
      problems: ["not_found"],
    },
  },
} as const satisfies Readonly<Record<string, Omit<Route, "handle">>>;
