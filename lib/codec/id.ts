/**
 * A message id, `<ms>-<seq>`: Redis's own stream id, where `seq` holds the generation of the primary that gave it out
 * (`generation * 65536 + n`). A cursor in one partition is the id of the last message seen.
 */
export interface Id {
  /** Milliseconds since 1970 on Redis's clock, or later where that clock went back. */
  readonly ms: number;
  /** Generation times 65,536 plus a counter within the millisecond; below 2^53. */
  readonly seq: number;
}

/** The position before every message. */
export const ZERO: Id = { ms: 0, seq: 0 };

const ID = /^(\d{1,15})-(\d{1,16})$/;

/** Reads an id; undefined where the text is none, or its numbers are beyond what Runnel gives out. */
export function parseId(text: string): Id | undefined {
  const match = ID.exec(text);
  if (match === null) return undefined;
  const id = { ms: Number(match[1]), seq: Number(match[2]) };
  return Number.isSafeInteger(id.seq) ? id : undefined;
}

/**
 * Reads an id that Runnel itself wrote.
 *
 * @throws TypeError where it is none, which means that the key was written by somebody else
 */
export function readId(text: string): Id {
  const id = parseId(text);
  if (id === undefined) throw new TypeError("Cannot read a message id: the stored text is none");
  return id;
}

/** Writes an id as Redis and clients know it. */
export function formatId(id: Id): string {
  return `${id.ms}-${id.seq}`;
}

/**
 * Orders ids of one branch of history: below 0 where `a` comes first. Ids of a branch that a failover cut off have no
 * place in this order; a position read from Redis resolves them first.
 */
export function compareIds(a: Id, b: Id): number {
  return a.ms - b.ms || a.seq - b.seq;
}

/** The later of two ids. */
export function latestId(a: Id, b: Id): Id {
  return compareIds(a, b) >= 0 ? a : b;
}

/** The id that comes `n` after in the same commit, whose ids are consecutive. */
export function advanceId(id: Id, n: number): Id {
  return { ms: id.ms, seq: id.seq + n };
}

/** The generation that gave an id out; 0 for a bare time, which no primary gave out. */
export function generationOf(id: Id): number {
  return Math.floor(id.seq / 65_536);
}
