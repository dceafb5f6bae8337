import { isLoopbackHost } from "./origin.ts";
import { setCookie } from "./std.ts";
import type { Session } from "./ticket_office.ts";

/** A cookie of a request. */
export interface Cookie {
  readonly name: string;
  readonly value: string;
}

/**
 * The cookies of a request's Cookie header, in its order. Those of the same name are all there, and what is no cookie is
 * left out: a page of a sibling domain can have set either.
 */
export function cookiesOf(header: string): Cookie[] {
  return header.split(";").flatMap((pair) => {
    const equals = pair.indexOf("=");
    const name = pair.slice(0, Math.max(equals, 0)).trim();
    return name === "" ? [] : [{ name, value: pair.slice(equals + 1).trim() }];
  });
}

/** Whom a cookie is set for. */
export interface CookiePlace {
  readonly request: Request;
  /** The host of the request's URL, without a port. */
  readonly host: string;
  /** Where Runnel's paths begin. */
  readonly path: string;
}

/** As much of a path, up to a slash, as can be written into a cookie. */
const WRITABLE = /^[\x21-\x3a\x3c-\x7e]*\//;

/**
 * Sets the cookie of a session. Where the browser takes this server as a safe one it is for pages of other origins too,
 * each top-level site having its own; over plain HTTP it is for the same site.
 */
export function setSession(
  headers: Headers,
  { cookie: name, value, expiresAt }: Session,
  { request, host, path }: CookiePlace,
): void {
  const isSafe = request.url.startsWith("https:") || isLoopbackHost(host) ||
    request.headers.has("sec-fetch-site") || request.headers.get("x-forwarded-proto") === "https";
  setCookie(headers, {
    name,
    value,
    path: WRITABLE.exec(path)?.[0] ?? "/",
    httpOnly: true,
    maxAge: Math.max(0, Math.floor((expiresAt - Date.now()) / 1000)),
    ...(isSafe
      ? { secure: true, sameSite: "None" as const, partitioned: true }
      : { sameSite: "Lax" as const }),
  });
}
