import { STATUS_CODE } from "./std.ts";

/** What a page's script may read beside the headers that every browser shows. */
const EXPOSED = "x-request-id, retry-after, allow, etag, location";
const PREFLIGHT_SECONDS = "600";

/** Lets the pages of an allowed origin read the response. */
export function allowOrigin(headers: Headers, origin: string): void {
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
  headers.append("vary", "origin");
}

/**
 * Answers OPTIONS. A preflight's requested headers are all allowed: its origin was checked, and no header of Runnel's
 * gives more than another.
 */
export function preflight(request: Request, methods: readonly string[]): Response {
  const allow = methods.join(", ");
  const headers = new Headers({ allow });
  if (request.headers.has("access-control-request-method")) {
    headers.set("access-control-allow-methods", allow);
    headers.set("access-control-max-age", PREFLIGHT_SECONDS);
    const wanted = request.headers.get("access-control-request-headers");
    if (wanted !== null) headers.set("access-control-allow-headers", wanted);
    headers.set("vary", "access-control-request-headers");
  }
  return new Response(null, { status: STATUS_CODE.NoContent, headers });
}
