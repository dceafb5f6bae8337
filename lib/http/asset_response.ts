/** A file that is part of the program: edge hosts give a function no others. */
export interface Asset {
  /** Its content type. */
  readonly type: string;
  readonly text: string;
  /** Names this very content, of characters that may stand in a URL. */
  readonly hash: string;
}

const YEAR_SECONDS = 31_536_000;
const MINUTES_SECONDS = 300;

/**
 * Answers with an asset. Where the request's `v` is its hash it is kept for ever; else for five minutes, and after that
 * confirmed by its tag (RFC 9110, section 13.1.2).
 */
export function assetResponse(
  { type, text, hash }: Asset,
  { request, search }: { readonly request: Request; readonly search: string },
): Response {
  const isNamed = new URLSearchParams(search).get("v") === hash;
  const tag = `"${hash}"`;
  const headers = {
    "content-type": type,
    etag: tag,
    "cache-control": isNamed
      ? `public, max-age=${YEAR_SECONDS}, immutable`
      : `public, max-age=${MINUTES_SECONDS}`,
    "cross-origin-resource-policy": "cross-origin",
  };
  const known = request.headers.get("if-none-match")?.split(",").map((one) => one.trim());
  // a proxy that compresses makes the tag a weak one
  const isKnown = known?.some((one) => one.replace(/^W\//, "") === tag || one === "*") ?? false;
  return isKnown
    ? new Response(null, { status: 304, headers })
    : new Response(text, { status: 200, headers });
}
