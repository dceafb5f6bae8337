import { type Cursor, parseCursor } from "../codec/cursor.ts";
import { generationOf, type Id } from "../codec/id.ts";
import { RunnelError } from "../errors.ts";

/** Where a subscription starts. */
export type Start =
  | { readonly kind: "latest" }
  | { readonly kind: "earliest" }
  /** The last `count` messages. */
  | { readonly kind: "last"; readonly count: number }
  /** From a moment on, in milliseconds since 1970. */
  | { readonly kind: "time"; readonly ms: number }
  /** So many milliseconds back from now on Redis's clock. */
  | { readonly kind: "ago"; readonly ms: number }
  /** After what was seen before. */
  | { readonly kind: "cursor"; readonly cursor: Cursor };

/** Most messages that `last:<n>` reaches back. */
export const LAST_MOST = 1_000;

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const DURATION = /^(\d{1,12})(ms|s|m|h|d)$/;
const TIME = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?)?$/;
const ZONE = /(Z|[+-]\d{2}:\d{2})$/;
const EPOCH_2026_S = 1_767_225_600;
const DAY_S = 86_400;

/**
 * Reads `latest`, `earliest`, `last:<n>`, an ISO time, a duration such as `10m`, or a cursor.
 *
 * @param pointer the parameter it came in, for the error
 * @throws RunnelError `invalid_cursor`
 */
export function parseStart(text: string, pointer: string): Start {
  if (text === "latest" || text === "earliest") return { kind: text };
  const cursor = parseCursor(text);
  if (cursor !== undefined && [...cursor.ids.values()].every(isPlausible)) {
    return { kind: "cursor", cursor };
  }
  const last = /^last:(\d{1,6})$/.exec(text);
  if (last !== null && Number(last[1]) <= LAST_MOST) {
    return { kind: "last", count: Number(last[1]) };
  }
  const duration = DURATION.exec(text);
  if (duration !== null) {
    return { kind: "ago", ms: Number(duration[1]) * (UNITS[duration[2] ?? ""] ?? 0) };
  }
  const ms = TIME.test(text) ? timeOf(text) : NaN;
  if (ms >= 0) return { kind: "time", ms };
  const detail =
    `Expected latest, earliest, last:<n> (at most ${LAST_MOST}), an ISO time, a duration such as 10m, or a message id`;
  throw new RunnelError("invalid_cursor", detail, { errors: [{ pointer, detail }] });
}

// a time without a zone must not mean another moment on each host
function timeOf(text: string): number {
  return Date.parse(text.includes("T") && !ZONE.test(text) ? `${text}Z` : text);
}

// a generation is at least seconds since 2026 x 128, so one from beyond tomorrow was never given out: without this
// check such a cursor would pass for proof that this Redis is behind
function isPlausible(id: Id): boolean {
  const tomorrow = (Date.now() / 1000 - EPOCH_2026_S + DAY_S) * 128;
  return generationOf(id) <= tomorrow;
}
