import { app } from "../lib/app.ts";
import type { ApiDocument } from "../lib/docs/api_document.ts";
import { DASHBOARD, PAGES } from "../lib/docs/built.ts";
import { DOC_ROUTES } from "../lib/docs/doc_routes.ts";
import { escapeHtml, Html } from "../lib/docs/html.ts";
import { pageHtml } from "../lib/docs/layout.ts";
import { referenceContents, referenceHtml } from "../lib/docs/reference.ts";
import { STYLE } from "../lib/docs/style.ts";
import { ERRORS, RunnelError } from "../lib/errors.ts";
import type { RequestContext } from "../lib/http/context.ts";
import { createHandler, type Route } from "../lib/http/handler.ts";
import { htmlResponse, sourceOf } from "../lib/http/html_response.ts";
import { jsonTextResponse } from "../lib/http/json_response.ts";
import { apiText } from "./openapi.ts";

/** `GET /docs`: the API for people, and under it the pages that are too long for the README. */
export function docsRoutes(): Route[] {
  return [
    { ...DOC_ROUTES.reference, handle: reference },
    { ...DOC_ROUTES.page, handle: page },
    { ...DOC_ROUTES.dashboard, handle: () => jsonTextResponse(DASHBOARD) },
  ];
}

const POLICY = { "style-src": sourceOf(STYLE), "img-src": "data:" };
const NAMES = new Map(Object.entries(PAGES));

function reference({ url }: RequestContext): Response {
  const up = upFrom(url, 1);
  const base = new URL(up === "" ? "." : up, url).href.replace(/\/$/, "");
  const html = rendered.get(up) ?? render(up);
  return htmlResponse(html.replaceAll(BASE, () => escapeHtml(base)), POLICY);
}

/** Stands for where the server is, which each request says anew, in a page that is made once. */
const BASE = "SERVER-ADDRESS";
const rendered = new Map<string, string>();

function render(up: string): string {
  // it wrote it itself
  const document = JSON.parse(apiText()) as ApiDocument;
  const html = pageHtml({
    title: "API reference",
    up,
    pages: PAGES,
    contents: referenceContents(document),
    body: referenceHtml(document, { errors: ERRORS, base: BASE }),
  });
  rendered.set(up, html);
  return html;
}

function page({ url, params: { page = "" } }: RequestContext): Response {
  const found = NAMES.get(page);
  if (found === undefined) throw new RunnelError("not_found", "There is no such page");
  const { title, lang, html } = found;
  const parts = { title, lang, up: upFrom(url, 2), pages: PAGES, body: new Html(html) };
  return htmlResponse(pageHtml(parts), POLICY);
}

/** What leads from a page of so many segments to where the paths begin; a slash at the end makes one more. */
function upFrom({ pathname }: URL, segments: number): string {
  return "../".repeat(pathname.endsWith("/") ? segments : segments - 1);
}

export default {
  fetch: createHandler(docsRoutes(), async () => (await app()).http),
} satisfies Deno.ServeDefaultExport;
