/** The messages that the benchmarks send: about 200 bytes of JSON data each. */
import { MARK } from "./load/plan.ts";

/** Data of one message: an object as applications send it, with {@link MARK} in it once. */
export const DATA = {
  mark: MARK,
  order: 48_213,
  customer: "c-7f3a9d20",
  status: "shipped",
  lines: [{ sku: "A-1001", quantity: 2 }, { sku: "B-2002", quantity: 1 }],
  total: 129.95,
  note: "leave at the door, ring twice",
};

/** Data of a small message: 100 bytes of JSON, with {@link MARK} in it once. */
export const SMALL_DATA = {
  mark: MARK,
  order: 48_213,
  status: "shipped",
  note: "leave it at the front door, please ring twice",
};

/** Bytes from the mark of {@link DATA} as JSON to its end: two marks in a stream are never nearer. */
export const MARKS_APART = markToEnd(DATA);

/** The same of {@link SMALL_DATA}. */
export const SMALL_MARKS_APART = markToEnd(SMALL_DATA);

/** Data of a message that is worked off: its number, and about 200 bytes in all. */
export function workData(n: number): { readonly n: number } {
  return { n, ...DATA };
}

/** The envelope of one message as JSON text. */
export function envelope(topic: string): string {
  return JSON.stringify({ topic, data: DATA });
}

function markToEnd(data: unknown): number {
  const text = JSON.stringify(data);
  return text.length - text.indexOf(MARK);
}
