import { RunnelError } from "../errors.ts";
import { parseJson } from "./json.ts";
import type { MessageFields } from "./message.ts";

/** The payload part of a message's fields. */
export type Payload = Pick<MessageFields, "data" | "dataBase64" | "contentType">;

/** What `curl -d` sends without being asked; whoever posts a payload with it means text. */
const FORM_TYPE = "application/x-www-form-urlencoded";

/**
 * A raw body as a message's payload: JSON is kept as JSON, text (and what `curl -d` sends) becomes a string, anything
 * else base64 with its content type.
 *
 * @param contentType The Content-Type header with its parameters; null or empty where there is none.
 * @throws {RunnelError} `invalid_json` for JSON that is none, `invalid_request` for text that is not in its charset,
 * `unsupported_media_type` for a charset that is not known.
 */
export function payloadOf(bytes: Uint8Array, contentType: string | null): Payload {
  const full = contentType?.trim() ?? "";
  const type = mediaType(full);
  if (isJsonType(type)) return { data: parseJson(bytes) };
  if (type === FORM_TYPE) return { data: decodeText(bytes, full) };
  if (type.startsWith("text/")) {
    const data = decodeText(bytes, full);
    return type === "text/plain" ? { data } : { data, contentType: type };
  }
  const dataBase64 = encodeBase64(bytes);
  return { dataBase64, contentType: full === "" ? "application/octet-stream" : full };
}

/** The media type of a Content-Type header, lower-case and without parameters; empty where there is none. */
export function mediaType(contentType: string | null): string {
  if (contentType === null) return "";
  const end = contentType.indexOf(";");
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** Whether a media type is JSON: `application/json` or one that ends in `+json`. */
export function isJsonType(type: string): boolean {
  return type === "application/json" || type.endsWith("+json");
}

function decodeText(bytes: Uint8Array, contentType: string): string {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1] ?? "utf-8";
  const decoder = textDecoder(charset);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    const detail = "The text is not valid in its charset, UTF-8 where it names none";
    throw new RunnelError("invalid_request", detail, { cause, errors: [{ pointer: "#", detail }] });
  }
}

function textDecoder(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw new RunnelError("unsupported_media_type", "The charset is not known", { cause });
  }
}

/** As many bytes as `String.fromCharCode` safely takes as arguments. */
const SLICE = 8192;

function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let at = 0; at < bytes.length; at += SLICE) {
    binary += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  }
  return btoa(binary);
}
