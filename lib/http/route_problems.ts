import { type ErrorCode, ERRORS } from "../errors.ts";
import type { Route } from "./handler.ts";
import type { RouteDoc } from "./route_doc.ts";

/** Of every route. */
const ALWAYS: readonly ErrorCode[] = ["not_configured", "internal"];
/** Of those that let in only who may come. */
const GATE: readonly ErrorCode[] = [
  "unauthenticated",
  "invalid_token",
  "origin_not_allowed",
  "host_not_allowed",
  "auth_not_configured",
  "jwks_unavailable",
];
/** Of those that read a JSON body. */
const BODY: readonly ErrorCode[] = [
  "invalid_request",
  "invalid_json",
  "payload_too_large",
  "unsupported_media_type",
  "upload_timeout",
];

/** The errors that a route may answer with, by status: those that it names, and those that all of its kind have. */
export function problemsOf(
  route: Pick<Route, "auth">,
  doc: RouteDoc,
): ReadonlyMap<number, readonly ErrorCode[]> {
  const { auth = true } = route;
  const reads = doc.query !== undefined || doc.params !== undefined || auth;
  const codes = new Set<ErrorCode>([
    ...ALWAYS,
    ...(auth ? GATE : []),
    ...(doc.right === undefined ? [] : ["forbidden"] as const),
    ...(reads ? ["invalid_request"] as const : []),
    ...(doc.body === undefined ? [] : BODY),
    ...(doc.problems ?? []),
  ]);
  const byStatus = new Map<number, ErrorCode[]>();
  // in the table's order, whatever named them
  for (const code of ERROR_CODES) {
    if (!codes.has(code)) continue;
    const { status } = ERRORS[code];
    const known = byStatus.get(status);
    if (known === undefined) byStatus.set(status, [code]);
    else known.push(code);
  }
  return byStatus;
}

// the keys of a table that has no others
const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];
