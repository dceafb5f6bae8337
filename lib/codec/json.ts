import { RunnelError } from "../errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The bytes as text, refusing what is not UTF-8 instead of replacing it.
 *
 * @throws {RunnelError} `invalid_json`, since JSON is UTF-8.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw invalidJson("The text is not valid UTF-8", cause);
  }
}

/**
 * The value of JSON text in UTF-8.
 *
 * @throws {RunnelError} `invalid_json` with the pointer `#`, for bytes that are not UTF-8 or not JSON.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw invalidJson(describe(text, cause), cause);
  }
}

/**
 * The value as JSON text.
 *
 * @throws {RunnelError} `invalid_request` for a value nested too deeply to be written.
 */
export function writeJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (cause) {
    // JSON.parse reads any depth, but some engines' JSON.stringify recurses (Deno 2.1's, not 2.9's).
    if (!(cause instanceof RangeError)) throw cause;
    const detail = "The data is nested too deeply";
    throw new RunnelError("invalid_request", detail, { cause, errors: [{ pointer: "#", detail }] });
  }
}

function invalidJson(detail: string, cause: unknown): RunnelError {
  return new RunnelError("invalid_json", detail, { cause, errors: [{ pointer: "#", detail }] });
}

/** Says where, but does not repeat the input as the engine's message does. */
function describe(text: string, cause: unknown): string {
  if (text.trim() === "") return "The text is empty, which is not JSON";
  const position = cause instanceof Error ? /position (\d+)/.exec(cause.message)?.[1] : undefined;
  return position === undefined ? "The text is not JSON" : `Not JSON at position ${position}`;
}
