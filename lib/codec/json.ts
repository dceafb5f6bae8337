import { RunnelError } from "../errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Levels of arrays and objects that are taken. Subscribers' own readers end there: PHP's at 512, Python's and Jackson's
 * at 1,000, and a message that none of them can read would stop them for good.
 */
const DEPTH_MOST = 500;

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
 * The value of JSON text in UTF-8, its numbers as {@link parseJsonText} gives them.
 *
 * @throws {RunnelError} `invalid_json` with the pointer `#`, for bytes that are not UTF-8 or not JSON;
 * `invalid_request` for more than 500 levels of nesting.
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  if (isTooDeep(bytes)) throw tooDeep();
  try {
    return parseJsonText(text);
  } catch (cause) {
    throw invalidJson(describe(text, cause), cause);
  }
}

/**
 * The value of JSON text. A number that would come out as another one, such as an integer of 64 bits or `1e400`, is
 * an object that {@link writeJson} writes as it stood there.
 *
 * @throws {SyntaxError} for text that is not JSON.
 */
export function parseJsonText(text: string): unknown {
  return LONG_NUMBER.test(text) ? JSON.parse(text, keepNumber) : JSON.parse(text);
}

/** What may be more than a double holds: over 15 digits, or an exponent of three. */
const LONG_NUMBER = /\d[\d.]{15}|[eE][+-]?\d{3}/;

function keepNumber(_key: string, value: unknown, { source }: { source?: string } = {}): unknown {
  if (typeof value !== "number" || source === undefined) return value;
  return String(value) !== source && LONG_NUMBER.test(source) ? rawJSON(source) : value;
}

// every Deno that Runnel runs on has it, but TypeScript does not declare it yet
const { rawJSON } = JSON as typeof JSON & { rawJSON(source: string): unknown };

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
    throw tooDeep(cause);
  }
}

const QUOTE = 0x22, BACKSLASH = 0x5c;
const OPEN_ARRAY = 0x5b, OPEN_OBJECT = 0x7b, CLOSE_ARRAY = 0x5d, CLOSE_OBJECT = 0x7d;

/** Whether JSON text has too many levels; what it says of text that is not JSON does not matter. */
function isTooDeep(bytes: Uint8Array): boolean {
  if (bytes.length <= 2 * DEPTH_MOST) return false;
  let depth = 0;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
    } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      if (++depth > DEPTH_MOST) return true;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
      depth--;
    }
  }
  return false;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

function tooDeep(cause?: unknown): RunnelError {
  const detail = `The data is nested too deeply: ${DEPTH_MOST} levels are the most`;
  return new RunnelError("invalid_request", detail, { cause, errors: [{ pointer: "#", detail }] });
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
