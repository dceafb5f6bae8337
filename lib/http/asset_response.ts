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

/** What assets are compressed, each once for a process. */
const compressed = new WeakMap<Asset, Promise<ArrayBuffer>>();

/**
 * Answers with an asset, compressed where the client takes that. Where the request's `v` is its hash it is kept for ever;
 * else for five minutes, and after that confirmed by its tag (RFC 9110, section 13.1.2), which is a weak one since it
 * stands for the compressed form too.
 */
export async function assetResponse(
  asset: Asset,
  { request, search }: { readonly request: Request; readonly search: string },
): Promise<Response> {
  const { type, text, hash } = asset;
  const isNamed = new URLSearchParams(search).get("v") === hash;
  const tag = `W/"${hash}"`;
  const headers = {
    "content-type": type,
    etag: tag,
    vary: "accept-encoding",
    "cache-control": isNamed
      ? `public, max-age=${YEAR_SECONDS}, immutable`
      : `public, max-age=${MINUTES_SECONDS}`,
    "cross-origin-resource-policy": "cross-origin",
  };
  const known = request.headers.get("if-none-match")?.split(",").map((one) => one.trim());
  const isKnown = known?.some((one) => [tag, tag.slice(2), "*"].includes(one)) ?? false;
  if (isKnown) return new Response(null, { status: 304, headers });
  if (!takesGzip(request.headers.get("accept-encoding"))) return new Response(text, { headers });
  const body = await compress(asset);
  return new Response(body, { headers: { ...headers, "content-encoding": "gzip" } });
}

/** Whether gzip is among what a client takes (RFC 9110, section 12.5.3). */
function takesGzip(accepted: string | null): boolean {
  return accepted?.split(",").some((one) => {
    const [coding = "", ...parameters] = one.toLowerCase().split(";").map((part) => part.trim());
    return coding === "gzip" && !parameters.some((part) => /^q=0(\.0*)?$/.test(part));
  }) ?? false;
}

function compress(asset: Asset): Promise<ArrayBuffer> {
  const known = compressed.get(asset);
  if (known !== undefined) return known;
  const stream = new Blob([asset.text]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Response(stream).arrayBuffer();
  compressed.set(asset, bytes);
  return bytes;
}
