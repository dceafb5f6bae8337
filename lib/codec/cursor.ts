import { compareIds, formatId, type Id, parseId, ZERO } from "./id.ts";

/**
 * Where a subscription stands: the id of the last message seen of each partition that it spans. A message's own id is the
 * cursor of whoever spans one partition.
 */
export interface Cursor {
  /** How many partitions there were; 1 also for a bare id, which does not say; undefined where it was left out. */
  readonly partitions: number | undefined;
  /** The id of each partition, by its number. */
  readonly ids: ReadonlyMap<number, Id>;
}

/** Where one partition of a subscription starts. */
export interface PartitionCursor {
  readonly id: Id;
  /**
   * Whether the id may be of another partition, so that one whose generation is not known there is a time and no more.
   */
  readonly isGuess: boolean;
}

/** Most partitions that there can be. */
export const PARTITIONS_MOST = 64;
/** What a partition that a cursor does not name may lag behind those that it names, in milliseconds. */
const SLACK_MS = 2_000;

const PART = /^(\d{1,2})\.(\d+-\d+)$/;

/** The cursor that a bare id is. */
export function cursorOf(id: Id): Cursor {
  return { partitions: 1, ids: new Map([[0, id]]) };
}

/** Reads `<id>` or `<p>.<id>~<p>.<id>~<partitions>`; undefined where the text is neither. */
export function parseCursor(text: string): Cursor | undefined {
  const id = parseId(text);
  if (id !== undefined) return cursorOf(id);
  const parts = text.split("~");
  const count = parts.at(-1) ?? "";
  const partitions = /^\d{1,2}$/.test(count) ? Number(count) : undefined;
  if (partitions !== undefined) parts.pop();
  const most = partitions ?? PARTITIONS_MOST;
  if (most < 2 || most > PARTITIONS_MOST || parts.length === 0 || parts.length > most) {
    return undefined;
  }
  const ids = new Map<number, Id>();
  for (const part of parts) {
    const [, number, text = ""] = PART.exec(part) ?? [];
    const id = parseId(text);
    if (id === undefined || Number(number) >= most || ids.has(Number(number))) return undefined;
    ids.set(Number(number), id);
  }
  return { partitions, ids };
}

/** Writes a cursor of several partitions. */
export function formatCursor(ids: Iterable<readonly [number, Id]>, partitions: number): string {
  return [...ids].map(([number, id]) => `${number}.${formatId(id)}`).join("~") + `~${partitions}`;
}

/**
 * Where a cursor stands in one partition of so many. Of one that was split since, all that came of it go on where it
 * stood. One that is not named begins a little before the others stand, so that nothing is missed.
 */
export function cursorIn(
  cursor: Cursor,
  { number, partitions }: { number: number; partitions: number },
): PartitionCursor {
  const { ids, partitions: then = partitions } = cursor;
  const id = then <= partitions ? ids.get(number % then) : undefined;
  if (id !== undefined) return { id, isGuess: then === 1 && partitions > 1 };
  const first = [...ids.values()].sort(compareIds)[0] ?? ZERO;
  return { id: { ms: Math.max(first.ms - SLACK_MS, 0), seq: 0 }, isGuess: true };
}
