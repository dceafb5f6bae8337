import { compareIds, type Id, ZERO } from "../codec/id.ts";
import type { Position } from "../redis/position.ts";
import type { Floors } from "./page.ts";
import type { Reader } from "./reader.ts";
import type { Start } from "./start.ts";
import type { TopicFilter } from "./topic_filter.ts";

/** Where a subscription begins, as found in Redis. */
export interface StartPoint {
  readonly cursor: Id;
  /** Where the partition stood then. */
  readonly position: Position;
  /** Where each topic began; only for a start before every message. */
  readonly floors?: Floors;
  /** Where to go on; only where the cursor saw messages that are lost. */
  readonly lostBefore?: Id;
}

/**
 * Finds where a subscription begins.
 *
 * @throws RedisFailure
 */
export async function findStart(
  reader: Reader,
  { filter, start }: { filter: TopicFilter; start: Start },
): Promise<StartPoint> {
  const asked = start.kind === "cursor" ? start.id : ZERO;
  const position = await reader.position(filter, asked);
  if (position.lost) {
    return { cursor: asked, position, lostBefore: position.cursor ?? position.clock };
  }
  const wanted = await cursorOf(reader, { filter, start, position });
  // only a bare time can lie after the clock, and what comes next may be given an id before it
  const cursor = compareIds(wanted, position.clock) > 0 ? position.clock : wanted;
  // whoever starts before every message did not ask for what retention took before
  return compareIds(cursor, ZERO) === 0
    ? { cursor, position, floors: await reader.floors(filter, position) }
    : { cursor, position };
}

async function cursorOf(
  reader: Reader,
  { filter, start, position }: { filter: TopicFilter; start: Start; position: Position },
): Promise<Id> {
  switch (start.kind) {
    case "latest":
      return position.clock;
    case "earliest":
      return ZERO;
    case "cursor":
      return start.id;
    case "time":
      return { ms: start.ms, seq: 0 };
    case "ago":
      return { ms: Math.max(position.now - start.ms, 0), seq: 0 };
    case "last":
      return await reader.cursorOfLast(filter, { count: start.count, bound: position });
  }
}
