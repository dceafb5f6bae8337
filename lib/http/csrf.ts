import { RunnelError } from "../errors.ts";
import { isNamedOrigin, type OriginPolicy } from "./origin.ts";

/** What tells which page a browser's request comes from. */
export interface PageSigns {
  readonly method: string;
  /** The host of the request's URL, with its port. */
  readonly host: string;
  readonly origin: string | null;
  /** The `Sec-Fetch-Site` header, which no page can set. */
  readonly fetchSite: string | null;
}

/**
 * Refuses a request that only a cookie lets in, unless a page that may use the server has made it: browsers send cookies
 * by themselves, for a foreign page's form or image too. Reading is no exception, since a stream leases work.
 *
 * @throws {RunnelError} `origin_not_allowed`.
 */
export function requireOwnPage(
  { method, host, origin, fetchSite }: PageSigns,
  policy: OriginPolicy,
): void {
  if (origin !== null) {
    if (isNamedOrigin(origin, host, policy)) return;
    throw refused("The Origin is not one that RUNNEL_CORS_ORIGINS names");
  }
  if (fetchSite === "same-origin") return;
  // what somebody has typed into the address bar
  if (fetchSite === "none" && (method === "GET" || method === "HEAD")) return;
  throw refused("A request that a cookie lets in needs an allowed Origin");
}

/**
 * Refuses the image, frame or link of a foreign page where nobody shows a credential: browsers send no Origin with them,
 * and a stream that nobody reads leases work all the same.
 *
 * @param fetchSite The `Sec-Fetch-Site` header of a request without an Origin.
 * @throws {RunnelError} `origin_not_allowed`.
 */
export function refuseForeignPage(fetchSite: string | null, { corsOrigins }: OriginPolicy): void {
  if (fetchSite !== "cross-site" || corsOrigins.includes("*")) return;
  throw refused("A foreign page can only use what lets its Origin in");
}

function refused(detail: string): RunnelError {
  return new RunnelError("origin_not_allowed", detail);
}
