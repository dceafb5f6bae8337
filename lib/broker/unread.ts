import { compareIds, type Id } from "../codec/id.ts";
import type { TopicState } from "../redis/position.ts";
import { type KnownTopic, pageCount } from "./page.ts";

/** A topic with messages after a cursor. */
export interface UnreadTopic extends KnownTopic {
  readonly state: TopicState;
}

/** An unread topic, and how many of its messages to read. */
export interface PartTopic extends UnreadTopic {
  readonly count: number;
}

/** What one call reads at the most. */
export interface PartLimits {
  readonly topics: number;
  /** Messages of all topics of a page, one a topic apart. */
  readonly messages: number;
  /** Bytes of a page; a call may read twice as many, one message a topic apart. */
  readonly bytes: number;
}

/** The topics that have messages after a cursor. */
export function unreadAfter(known: readonly KnownTopic[], cursor: Id): UnreadTopic[] {
  return everUsed(known).filter(({ state }) => compareIds(state.last, cursor) > 0);
}

/** The topics that ever had a message, the one with the latest first. */
export function latestFirst(known: readonly KnownTopic[]): UnreadTopic[] {
  return everUsed(known).sort((a, b) => compareIds(b.state.last, a.state.last));
}

/** Topics as they are read in one call each; one part without topics where there is none. */
export function partsOf(unread: readonly UnreadTopic[], limits: PartLimits): PartTopic[][] {
  const share = Math.max(1, unread.length);
  let part: PartTopic[] = [];
  const parts = [part];
  let bytes = 0;
  for (const one of unread) {
    const { largest } = one.state;
    const most = Math.ceil(limits.messages / share);
    const count = pageCount({ largest, bytes: limits.bytes / share, most });
    const full = part.length >= limits.topics || bytes + count * largest > 2 * limits.bytes;
    if (full && part.length > 0) {
      parts.push(part = []);
      bytes = 0;
    }
    part.push({ ...one, count });
    bytes += count * largest;
  }
  return parts;
}

function everUsed(known: readonly KnownTopic[]): UnreadTopic[] {
  return known.flatMap(({ topic, state }) => state === undefined ? [] : [{ topic, state }]);
}
