/** A generated request, before and after it is written as HTTP. */
import { latin1Text } from "./bytes.ts";

/** What a request sends. */
export type FuzzBody =
  | { readonly kind: "json"; value: unknown }
  | { readonly kind: "lines"; values: unknown[] }
  | { readonly kind: "bytes"; bytes: Uint8Array<ArrayBuffer> };

/** A request in parts, so that each part can be changed. */
export interface FuzzRequest {
  /** The name of the route that it was made for. */
  readonly route: string;
  method: string;
  /** With its scheme; a Host that is none is asked for by it. */
  origin: string;
  /** Decoded. */
  segments: string[];
  /** Decoded. */
  query: [string, string][];
  headers: [string, string][];
  body: FuzzBody | undefined;
}

/** A request as it is sent. Header values are Latin-1, as on the wire. */
export interface WireRequest {
  readonly route: string;
  readonly method: string;
  readonly origin: string;
  /** Path and query, encoded. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array<ArrayBuffer> | undefined;
}

const encoder = new TextEncoder();
const RAW = /"@raw:([^"]*)@"/g;

/** Stands for JSON text that no value can be written as, such as `1e400`, in a value that {@link render} writes. */
export function rawJson(text: string): string {
  return `@raw:${text}@`;
}

/** Writes the parts as they are sent. */
export function render(request: FuzzRequest): WireRequest {
  const { route, method, origin, segments, query, headers, body } = request;
  const path = segments.map(percentEncode).join("/");
  const search = query.map((pair) => pair.map(percentEncode).join("=")).join("&");
  return {
    ...{ route, method, origin, headers },
    target: `/${path}${search === "" ? "" : `?${search}`}`,
    body: body === undefined ? undefined : bytesOf(body),
  };
}

/** What can be sent again, for a report. */
export function describeRequest(wire: WireRequest): string {
  const { method, origin, target, headers, body, route } = wire;
  const text = body === undefined ? undefined : describeBytes(body);
  return JSON.stringify({ route, method, url: origin + target, headers, ...text });
}

function bytesOf(body: FuzzBody): Uint8Array<ArrayBuffer> {
  if (body.kind === "bytes") return body.bytes;
  const text = body.kind === "json"
    ? writeValue(body.value)
    // not with map(), which asks a list that was changed for its constructor
    : Array.from(body.values, (value) => `${writeValue(value)}\n`).join("");
  return encoder.encode(text);
}

// undefined has no JSON text, and a field of that value is left out
function writeValue(value: unknown): string {
  return (JSON.stringify(value) ?? "").replace(RAW, "$1");
}

/** Half a surrogate pair is written as the three bytes that it would have: no UTF-8, but a request can hold it. */
function percentEncode(text: string): string {
  if (text.isWellFormed()) return encodeURIComponent(text);
  return Array.from(text, (character) => {
    const code = character.charCodeAt(0);
    if (character.isWellFormed()) return encodeURIComponent(character);
    const bytes = [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f)];
    return bytes.map((byte) => `%${byte.toString(16)}`).join("");
  }).join("");
}

function describeBytes(bytes: Uint8Array): { body: string } | { bodyBase64: string } {
  try {
    return { body: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch {
    return { bodyBase64: btoa(latin1Text(bytes)) };
  }
}
