import { readDuration } from "./duration.ts";

const ID = /^(\d{1,15})-(\d{1,16})$/;
/** Higher than what any message has after its time. */
const LAST_SEQ = Number.MAX_SAFE_INTEGER;

/** The bound of what begins with a message: `after` in a request for history. */
export function boundBefore(id: string): string | undefined {
  const match = ID.exec(id.trim());
  if (match === null) return undefined;
  const [ms, seq] = [Number(match[1]), Number(match[2])];
  return seq > 0 ? `${ms}-${seq - 1}` : boundOfTime(ms);
}

/** The bound of what was published at a time, in milliseconds since 1970, or later. */
export function boundOfTime(ms: number): string {
  return ms > 0 ? `${Math.floor(ms) - 1}-${LAST_SEQ}` : "0-0";
}

/**
 * Reads where to go in a history: a message id, an ISO time (without a zone, the browser's own), or how far back, such as
 * `10m`.
 *
 * @param now the server's time in milliseconds since 1970
 * @returns what `after` of a request is; undefined where it is none of these
 */
export function readBound(text: string, now: number): string | undefined {
  const wanted = text.trim();
  const id = boundBefore(wanted);
  if (id !== undefined) return id;
  const back = readDuration(wanted);
  if (back !== undefined) return boundOfTime(now - back);
  const ms = /^\d{4}-\d{2}-\d{2}/.test(wanted) ? Date.parse(wanted) : NaN;
  return Number.isNaN(ms) ? undefined : boundOfTime(ms);
}
