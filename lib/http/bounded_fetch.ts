/** Options of {@link fetchBounded}. */
export interface BoundedFetchOptions extends RequestInit {
  /** The largest body that is taken, in bytes. */
  readonly maxBytes: number;
}

/**
 * Fetches something that must be small, following no redirect.
 *
 * @throws {TypeError} The body is larger, or what fetch throws.
 */
export async function fetchBounded(
  url: string,
  { maxBytes, ...init }: BoundedFetchOptions,
): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: "manual" });
  const { status, headers } = response;
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  // leaving the loop cancels the rest
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > maxBytes) throw new TypeError(`Cannot take more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return new Response(new Blob(chunks), { status, headers });
}
