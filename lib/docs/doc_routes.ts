import { z } from "zod";
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
  dashboard: {
    method: "GET",
    path: "docs/grafana.json",
    auth: false,
    doc: {
      id: "dashboard",
      group: "Pages",
      summary: "A dashboard for Grafana",
      about: "In Grafana: Dashboards, New, Import.",
      answers: {
        200: {
          about: "The dashboard.",
          content: {
            "application/json": {
              schema: z.looseObject({ title: z.string(), panels: z.array(z.unknown()) }),
            },
          },
        },
      },
      curl: "curl -O /docs/grafana.json",
    },
  },
} as const satisfies Readonly<Record<string, Omit<Route, "handle">>>;
