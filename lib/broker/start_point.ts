import { cursorIn } from "../codec/cursor.ts";
import { compareIds, type Id, ZERO } from "../codec/id.ts";
import type { Position } from "../redis/position.ts";
import type { Floors } from "./page.ts";
import type { Reader } from "./reader.ts";
import type { Start } from "./start.ts";
import type { TopicFilter } from "./topic_filter.ts";

/** Where the part of a subscription in one partition starts. */
export type StrandStart =
  | Exclude<Start, { readonly kind: "cursor" | "last" }>
  /** After a message; where it may be another partition's, perhaps after its time. */
  | { readonly kind: "cursor"; readonly id: Id; readonly isGuess: boolean };

/** Where a subscription begins in one partition, as found in Redis. */
export interface StartPoint {
  readonly cursor: Id;
  /** Where the partition stood then. */
  readonly position: Position;
  /** Where each topic began; only for a start before every message. */
  readonly floors?: Floors;
  /** Where to go on; only where the cursor saw messages that are lost. */
  readonly lostBefore?: Id;
}

/** What part of a subscription is to be read where. */
export interface StartSpan {
  readonly number: number;
  readonly filter: TopicFilter;
  readonly reader: Reader;
}

/** What clocks of two machines may differ by, in milliseconds, and to spare. */
const SKEW_MS = 2_000;

/**
 * Where a subscription starts in each of its partitions. Never rejects: a partition that cannot be asked starts at the
 * latest message.
 */
export async function startsOf(
  start: Start,
  { spans, partitions }: { spans: readonly StartSpan[]; partitions: number },
): Promise<StrandStart[]> {
  if (start.kind === "cursor") {
    return spans.map(({ number }) => {
      const { id, isGuess } = cursorIn(start.cursor, { number, partitions });
      return { kind: "cursor", id, isGuess: isGuess && spans.length > 1 };
    });
  }
  if (start.kind === "last") return await startsOfLast(start.count, spans);
  return spans.map(() => start);
}

/** Where a partition that cannot be asked now is to start later, so that nothing of what was asked for is missed. */
export function provisionalCursor(start: StrandStart, now: number): Id {
  switch (start.kind) {
    case "latest":
      return { ms: now - SKEW_MS, seq: 0 };
    case "earliest":
      return ZERO;
    case "time":
      return { ms: start.ms, seq: 0 };
    case "ago":
      return { ms: Math.max(now - start.ms, 0), seq: 0 };
    case "cursor":
      return start.id;
  }
}

/**
 * Finds where a subscription begins in a partition.
 *
 * @throws RedisFailure
 */
export async function findStart(
  reader: Reader,
  { filter, start }: { filter: TopicFilter; start: StrandStart },
): Promise<StartPoint> {
  const { id: asked, isGuess } = start.kind === "cursor" ? start : { id: ZERO, isGuess: false };
  const position = await reader.position(filter, asked, { isGuess });
  if (position.lost) {
    return { cursor: asked, position, lostBefore: position.cursor ?? position.clock };
  }
  const wanted = cursorOf(start, position);
  // only a bare time can lie after the clock, and what comes next may be given an id before it
  const cursor = compareIds(wanted, position.clock) > 0 ? position.clock : wanted;
  // whoever starts before every message did not ask for what retention took before
  return compareIds(cursor, ZERO) === 0
    ? { cursor, position, floors: await reader.floors(filter, position) }
    : { cursor, position };
}

function cursorOf(start: StrandStart, position: Position): Id {
  switch (start.kind) {
    case "latest":
      return position.clock;
    case "earliest":
      return ZERO;
    case "cursor":
      return start.isGuess ? position.cursor ?? start.id : start.id;
    case "time":
      return { ms: start.ms, seq: 0 };
    case "ago":
      return { ms: Math.max(position.now - start.ms, 0), seq: 0 };
  }
}

/** The last so many messages of all partitions together, by their times. */
async function startsOfLast(count: number, spans: readonly StartSpan[]): Promise<StrandStart[]> {
  const answers = await Promise.allSettled(spans.map(async ({ filter, reader }) => {
    const bound = await reader.position(filter, ZERO);
    return await reader.lastIds(filter, { count: count + 1, bound });
  }));
  const known = answers.map((one) => one.status === "fulfilled" ? one.value : undefined);
  const last = known.flatMap((ids) => ids ?? []).sort((a, b) => b.ms - a.ms).slice(0, count);
  const taken = new Set(last);
  return known.map((ids): StrandStart => {
    if (ids === undefined) return { kind: "latest" };
    // the latest that is not wanted
    const cursor = ids.find((id) => !taken.has(id));
    return cursor === undefined
      ? { kind: "earliest" }
      : { kind: "cursor", id: cursor, isGuess: false };
  });
}
