import { MARK } from "./plan.ts";

const BYTE = MARK.charCodeAt(0);

/** How many messages began in some bytes of a stream: each has the mark once. */
export function marksIn(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(BYTE); at >= 0; at = bytes.indexOf(BYTE, at + 1)) count++;
  return count;
}
