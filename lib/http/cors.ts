import { STATUS_CODE } from "./std.ts";

/** What a page's script may read beside the headers that every browser shows. */
const EXPOSED =
  "x-request-id, retry-after, ratelimit, ratelimit-policy, www-authenticate, allow, etag, location";
/** What a page's script may send beside the headers that every browser lets it. */
const REQUEST_HEADERS: ReadonlySet<string> = new Set([
  ...["authorization", "content-type", "accept", "cache-control", "idempotency-key"],
  ...["last-event-id", "x-request-id", "traceparent", "tracestate"],
]);
const PREFLIGHT_SECONDS = "600";

/** Lets the pages of an allowed origin read the response; with `credentials` also where the browser sent cookies. */
export function allowOrigin(
  headers: Headers,
  origin: string,
  { credentials }: { credentials: boolean },
): void {
  headers.set("access-control-allow-origin", origin);
  if (credentials) headers.set("access-control-allow-credentials", "true");
  headers.set("access-control-expose-headers", EXPOSED);
  headers.append("vary", "origin");
}

/** Answers OPTIONS. The origin was checked; of the headers that a preflight asks for, those that mean something are allowed. */
export function preflight(request: Request, methods: readonly string[]): Response {
  const allow = methods.join(", ");
  const headers = new Headers({ allow });
  if (request.headers.has("access-control-request-method")) {
    headers.set("access-control-allow-methods", allow);
    headers.set("access-control-max-age", PREFLIGHT_SECONDS);
    const wanted = request.headers.get("access-control-request-headers");
    const allowed = wanted?.toLowerCase().split(/[\s,]+/).filter(isAllowedHeader) ?? [];
    if (allowed.length > 0) headers.set("access-control-allow-headers", allowed.join(", "));
    headers.set("vary", "access-control-request-headers");
  }
  return new Response(null, { status: STATUS_CODE.NoContent, headers });
}

function isAllowedHeader(name: string): boolean {
  return REQUEST_HEADERS.has(name) || /^(?:x-runnel-[a-z-]+|ce-[a-z0-9]+)$/.test(name);
}
