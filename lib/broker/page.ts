import { compareIds, formatId, type Id, latestId } from "../codec/id.ts";
import type { TopicEntry } from "../redis/entry.ts";
import type { Position, TopicState } from "../redis/position.ts";
import { Batch } from "./batch.ts";

/** Why messages that a subscription should have had are not given: they are gone, or superseded (`conflated`). */
export type GapReason = "retention" | "deleted" | "failover" | "conflated";

/** Messages that are not given: those of `topic` after `after` and before `before`, or some of them (`conflated`). */
export interface Gap {
  /** The topic; null where it cannot be told. */
  readonly topic: string | null;
  readonly after: string;
  /** Id of the first message that is there again; null where none is yet. */
  readonly before: string | null;
  readonly reason: GapReason;
  /** How many were left out; only where they were conflated. */
  readonly skipped?: number;
}

/** One step of reading: what is between two positions. */
export interface Page {
  readonly batch: Batch;
  readonly gaps: readonly Gap[];
  /** Everything up to here has been read. */
  readonly cursor: Id;
  /** Where the partition stood then; the bound of the next page. */
  readonly position: Position;
}

/** Where each topic's kept messages began when an `earliest` subscription started: what is before was never asked for. */
export type Floors = ReadonlyMap<string, Id>;

/** A topic with what is known of it. */
export interface KnownTopic {
  readonly topic: string;
  readonly state: TopicState | undefined;
}

/** What was read of one topic. */
export interface TopicRead extends KnownTopic {
  readonly entries: readonly TopicEntry[];
  /** Whether the read ended at its count, so that more may follow. */
  readonly truncated: boolean;
}

/** Puts reads of several topics into id order, as far as all of them reach. */
export function mergeReads(
  reads: readonly TopicRead[],
  { after, upTo, floors }: { after: Id; upTo: Id; floors: Floors | undefined },
): { batch: Batch; gaps: Gap[]; cursor: Id } {
  let limit = upTo;
  for (const { entries, truncated } of reads) {
    const last = entries.at(-1);
    if (truncated && last !== undefined && compareIds(last.id, limit) < 0) limit = last.id;
  }
  const gaps: Gap[] = [];
  const merged: TopicEntry[] = [];
  for (const read of reads) {
    const from = latestId(after, floors?.get(read.topic) ?? after);
    const gap = gapBefore(read, from);
    if (gap !== undefined && compareIds(gap.at, limit) <= 0) gaps.push(gap.gap);
    for (const entry of read.entries) {
      if (compareIds(entry.id, limit) <= 0) merged.push(entry);
    }
  }
  merged.sort((a, b) => compareIds(a.id, b.id));
  return { batch: batchOf(merged), gaps, cursor: limit };
}

/** The batch of entries that are in id order. */
export function batchOf(entries: readonly TopicEntry[]): Batch {
  return new Batch(entries.map((entry) => entry.id), entries.map((entry) => entry.message));
}

/** How many messages of at most `largest` bytes fit into a page. */
export function pageCount(
  { largest, bytes, most }: { largest: number; bytes: number; most: number },
): number {
  return Math.max(1, Math.min(most, Math.floor(bytes / Math.max(largest, 1))));
}

// the id in each entry of the one before it tells whether anything between cursor and it was trimmed; where nothing is
// left, the topic's last id does
function gapBefore(read: TopicRead, from: Id): { gap: Gap; at: Id } | undefined {
  const first = read.entries[0];
  const reason = read.state?.deletedAt === undefined ? "retention" : "deleted";
  const after = formatId(from);
  if (first !== undefined) {
    if (compareIds(first.previous, from) <= 0) return undefined;
    return {
      gap: { topic: read.topic, after, before: formatId(first.id), reason },
      // not the first that is there: a page may end between the two, and the next one would see nothing missing
      at: first.previous,
    };
  }
  const last = read.state?.last;
  if (last === undefined || compareIds(last, from) <= 0) return undefined;
  return { gap: { topic: read.topic, after, before: null, reason }, at: last };
}
