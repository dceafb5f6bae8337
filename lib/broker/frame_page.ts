import { compareIds, formatId, type Id, latestId } from "../codec/id.ts";
import type { LogEntry, TopicEntry } from "../redis/entry.ts";
import type { Batch } from "./batch.ts";
import { batchOf, type Floors, type Gap } from "./page.ts";
import type { TopicFilter } from "./topic_filter.ts";

/** A frame of the log, and what is left of it. */
export interface FrameRead {
  readonly frame: LogEntry;
  readonly entries: readonly TopicEntry[];
}

/**
 * The frames that match, as many as fit into a page, one at the least.
 *
 * @returns the frames; the last id that was looked at; whether that was all
 */
export function takeFrames(
  log: readonly LogEntry[],
  { filter, bytes }: { filter: TopicFilter; bytes: number },
): { frames: LogEntry[]; last: Id | undefined; all: boolean } {
  const frames: LogEntry[] = [];
  let taken = 0;
  let last: Id | undefined;
  for (const entry of log) {
    if (filter.matches(entry.topic)) {
      taken += entry.bytes;
      if (frames.length > 0 && taken > bytes) return { frames, last, all: false };
      frames.push(entry);
    }
    last = entry.last;
  }
  return { frames, last, all: true };
}

/** Puts what is left of frames together; a frame that has less than the log says it had is a gap. */
export function mergeFrames(
  reads: readonly FrameRead[],
  { after, floors }: { after: Id; floors: Floors | undefined },
): { batch: Batch; gaps: Gap[] } {
  const merged: TopicEntry[] = [];
  const gaps = new Map<string, Gap>();
  for (const { frame, entries } of reads) {
    const { topic } = frame;
    const kept = entries.filter((entry) => compareIds(entry.id, after) > 0);
    merged.push(...kept);
    const from = latestId(after, floors?.get(topic) ?? after);
    const before = kept[0] === undefined ? null : formatId(kept[0].id);
    const gap = gaps.get(topic);
    if (kept.length < countAfter(frame, from)) {
      gaps.set(topic, {
        topic,
        after: gap?.after ?? formatId(from),
        before,
        reason: "retention",
      });
    } else if (gap?.before === null) gaps.set(topic, { ...gap, before });
  }
  return { batch: batchOf(merged), gaps: [...gaps.values()] };
}

// ids of one frame are consecutive: what lies at or before the start was not asked for
function countAfter({ first, last, count }: LogEntry, from: Id): number {
  if (compareIds(from, first) < 0) return count;
  return last.ms === from.ms ? Math.max(0, last.seq - from.seq) : 0;
}
