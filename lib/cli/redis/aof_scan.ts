/** A look through a file of commands that Redis appended to, to see whether it ends where a write ends. */

/** What a look through a file found. */
export interface AofScan {
  /** Bytes of the file. */
  readonly size: number;
  /** How many of them, from the start, are whole writes: a transaction counts as one, and a script's writes are one. */
  readonly whole: number;
  /** `torn` where the end of the last write is missing; `broken` where something else than a command stands before it. */
  readonly state: "whole" | "torn" | "broken";
}

const CHUNK_BYTES = 1 << 20;
const encoder = new TextEncoder();
const MULTI = encoder.encode("*1\r\n$5\r\nMULTI\r\n");
const EXEC = encoder.encode("*1\r\n$4\r\nEXEC\r\n");
const [STAR, DOLLAR, HASH, ZERO, CR, LF] = encoder.encode("*$#0\r\n") as unknown as SixBytes;
type SixBytes = readonly [number, number, number, number, number, number];

/**
 * Looks through a file. A file system that lost power may have put zeros where the last write should be: they count as
 * missing.
 *
 * @throws {Error} where the file cannot be read.
 */
export async function scanAof(path: string): Promise<AofScan> {
  using file = await Deno.open(path);
  const { size } = await file.stat();
  const written = await withoutZeros(file, size);
  const { whole, state } = await scanBytes(file, written);
  return { size, whole, state: state === "whole" && written < size ? "torn" : state };
}

async function withoutZeros(file: Deno.FsFile, size: number): Promise<number> {
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - CHUNK_BYTES);
    const chunk = await readRange(file, start, end);
    const last = chunk.findLastIndex((byte) => byte !== 0);
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return 0;
}

async function scanBytes(
  file: Deno.FsFile,
  end: number,
): Promise<Pick<AofScan, "whole" | "state">> {
  let [whole, position, length] = [0, 0, CHUNK_BYTES];
  let isOpen = false;
  while (position < end) {
    const chunk = await readRange(file, position, Math.min(end, position + length));
    let at = 0;
    for (;;) {
      const next = endOfCommand(chunk, at);
      if (next === BROKEN) return { whole, state: "broken" };
      if (next === SHORT) break;
      if (startsWith(chunk, at, MULTI)) [isOpen, whole] = [true, position + at];
      else if (startsWith(chunk, at, EXEC)) isOpen = false;
      at = next;
      if (!isOpen) whole = position + at;
    }
    if (position + chunk.length === end) {
      return { whole, state: at === chunk.length && !isOpen ? "whole" : "torn" };
    }
    // a command that is larger than what was read needs more at once
    length = at === 0 ? 2 * length : CHUNK_BYTES;
    position += at;
  }
  return { whole, state: "whole" };
}

async function readRange(file: Deno.FsFile, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  await file.seek(start, Deno.SeekMode.Start);
  for (let filled = 0; filled < bytes.length;) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) throw new Error("Cannot read the file: it became shorter meanwhile");
    filled += read;
  }
  return bytes;
}

const SHORT = -1;
const BROKEN = -2;

/** Where the command (or the time stamp that Redis may put between two) ends that begins at `at`. */
function endOfCommand(bytes: Uint8Array, at: number): number {
  if (at === bytes.length) return SHORT;
  if (bytes[at] === HASH) {
    const end = bytes.indexOf(LF, at);
    return end < 0 ? SHORT : end + 1;
  }
  let next = endOfNumber(bytes, at, STAR);
  if (next < 0) return next;
  for (let left = numberAt(bytes, at); left > 0; left--) {
    const start = endOfNumber(bytes, next, DOLLAR);
    if (start < 0) return start;
    const end = start + numberAt(bytes, next);
    if (end + 2 > bytes.length) return SHORT;
    if (bytes[end] !== CR || bytes[end + 1] !== LF) return BROKEN;
    next = end + 2;
  }
  return next;
}

/** Where a line of a mark and a number ends. */
function endOfNumber(bytes: Uint8Array, at: number, mark: number): number {
  if (at >= bytes.length) return SHORT;
  if (bytes[at] !== mark) return BROKEN;
  let end = at + 1;
  while (end < bytes.length && isDigit(bytes[end])) end++;
  if (end < bytes.length && (bytes[end] !== CR || end === at + 1)) return BROKEN;
  if (end + 2 > bytes.length) return SHORT;
  return bytes[end + 1] === LF ? end + 2 : BROKEN;
}

function numberAt(bytes: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at + 1; isDigit(bytes[i]); i++) value = 10 * value + (bytes[i] ?? 0) - ZERO;
  return value;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= ZERO + 9;
}

function startsWith(bytes: Uint8Array, at: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}
