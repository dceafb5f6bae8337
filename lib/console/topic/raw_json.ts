/** A piece of a JSON text. */
export interface Span {
  readonly start: number;
  /** The place after its last character. */
  readonly end: number;
}

/** What a JSON value is; `literal` is true, false or null. */
export type JsonKind = "object" | "array" | "string" | "number" | "literal";

/** A child of an object or an array. */
export interface JsonChild {
  /** Its name with quotes, as it stands there; undefined in an array. */
  readonly key?: Span;
  readonly value: Span;
}

const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const LAST_SPACE = 32;

/*
 * Parsing would cost time and memory for payloads that nobody looks at, and numbers beyond 2^53 would change. So JSON
 * texts, which are known to be valid, stay texts: what is shown of them is cut out.
 */

/** The value of a whole JSON text, without the white space around it. */
export function wholeValue(text: string): Span {
  const start = skipSpace(text, 0);
  return { start, end: valueEnd(text, start) };
}

/** What begins at a place of a JSON text. */
export function kindAt(text: string, at: number): JsonKind {
  switch (text.charCodeAt(at)) {
    case OPEN_BRACE:
      return "object";
    case OPEN_BRACKET:
      return "array";
    case QUOTE:
      return "string";
    default:
      return /[-\d]/.test(text.charAt(at)) ? "number" : "literal";
  }
}

/** The place after the value that begins at `at`. */
export function valueEnd(text: string, at: number): number {
  const first = text.charCodeAt(at);
  if (first === QUOTE) return stringEnd(text, at);
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return containerEnd(text, at);
  let end = at;
  while (end < text.length && !endsScalar(text.charCodeAt(end))) end++;
  return end;
}

/** The children of the object or array that begins at `at`, one after the other. */
export function* childrenAt(text: string, at: number): Generator<JsonChild> {
  const isObject = text.charCodeAt(at) === OPEN_BRACE;
  let next = skipSpace(text, at + 1);
  while (next < text.length && !closes(text.charCodeAt(next))) {
    let key: Span | undefined;
    if (isObject) {
      key = { start: next, end: stringEnd(text, next) };
      next = skipSpace(text, skipSpace(text, key.end) + 1);
    }
    const value = { start: next, end: valueEnd(text, next) };
    yield key === undefined ? { value } : { key, value };
    next = skipSpace(text, value.end);
    if (text.charCodeAt(next) === COMMA) next = skipSpace(text, next + 1);
  }
}

/** How many children the object or array that begins at `at` has. */
export function countChildren(text: string, at: number): number {
  let count = 0;
  for (const _ of childrenAt(text, at)) count++;
  return count;
}

/** The first characters of a string value, `most` of them at the most, without quotes and escapes. */
export function startOfString(text: string, { start, end }: Span, most: number): string {
  // an escape takes six characters at the most
  const piece = text.slice(start + 1, Math.min(end - 1, start + 1 + most * 6));
  const whole = piece.replace(/\\(u[\da-fA-F]{0,3})?$/, (cut, _, offset: number) => {
    let before = 0;
    while (piece.charAt(offset - 1 - before) === "\\") before++;
    return before % 2 === 0 ? "" : cut;
  });
  return wellFormedStart(JSON.parse(`"${whole}"`), most);
}

/** The first characters of a text, `most` of them at the most, without half a character at the end. */
export function wellFormedStart(text: string, most: number): string {
  if (text.length <= most) return text;
  const last = text.charCodeAt(most - 1);
  return text.slice(0, last >= 0xd800 && last < 0xdc00 ? most - 1 : most);
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && text.charCodeAt(at) <= LAST_SPACE) at++;
  return at;
}

function closes(code: number): boolean {
  return code === CLOSE_BRACE || code === CLOSE_BRACKET;
}

function endsScalar(code: number): boolean {
  return code === COMMA || code === COLON || code <= LAST_SPACE || closes(code);
}

function stringEnd(text: string, at: number): number {
  for (let end = text.indexOf('"', at + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

function containerEnd(text: string, at: number): number {
  let depth = 0;
  for (let i = at; i < text.length;) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      i = stringEnd(text, i);
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++;
    else if (closes(code) && --depth === 0) return i + 1;
    i++;
  }
  return text.length;
}
