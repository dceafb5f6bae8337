import { MARK } from "./plan.ts";

const BYTE = MARK.charCodeAt(0);

/**
 * How many messages began in some bytes of a stream: each has the mark once.
 *
 * @param apart Bytes from one mark to the next at least; the more, the less is looked at. @default 1
 */
export function marksIn(bytes: Uint8Array, apart = 1): number {
  let count = 0;
  for (let at = bytes.indexOf(BYTE); at >= 0; at = bytes.indexOf(BYTE, at + apart)) count++;
  return count;
}
