import { compareIds, formatId, type Id, latestId, ZERO } from "../codec/id.ts";
import type { LogEntry, TopicEntry } from "../redis/entry.ts";
import type { Position } from "../redis/position.ts";
import type { PartitionStore } from "../redis/store.ts";
import { Batch } from "./batch.ts";
import {
  batchOf,
  type Floors,
  type Gap,
  type KnownTopic,
  mergeReads,
  type Page,
  pageCount,
  type TopicRead,
} from "./page.ts";
import { PageCache } from "./page_cache.ts";
import type { TopicFilter } from "./topic_filter.ts";

/** What a page weighs at the most, one message apart. */
const PAGE_BYTES = 1 << 20;
const PAGE_MESSAGES = 1_000;
const LOG_ENTRIES = 512;
/** Topics asked for in one call. */
const TOPICS_A_CALL = 500;
const FIRST_SLICE_MS = 1_000;
const LONGEST_SLICE_MS = 10 * 365 * 86_400_000;

/** Where a reading stands: whose messages, from where, and what was known then. */
export interface Reading {
  readonly filter: TopicFilter;
  readonly cursor: Id;
  /** The position read last, of which everything up to its clock can be read now. */
  readonly bound: Position;
  readonly floors?: Floors | undefined;
}

/**
 * Reads messages from the log, a page at a time; the one way by which replay, repair and slow readers get theirs.
 * Readings of the same range share a page.
 */
export class Reader {
  readonly #store: PartitionStore;
  readonly #pages = new PageCache();
  #names: { clock: Id; topics: readonly KnownTopic[] } | undefined;
  #sliceMs = FIRST_SLICE_MS;

  constructor(store: PartitionStore) {
    this.#store = store;
  }

  /**
   * Reads where a cursor stands, and the topics named by the filter.
   *
   * @throws RedisFailure
   */
  position(filter: TopicFilter, cursor: Id): Promise<Position> {
    return this.#store.position({ cursor, topics: filter.topics });
  }

  /**
   * Reads the next page. Where the page's position says `lost`, the cursor saw messages that are gone: nothing was
   * read, and the page's cursor is where to go on.
   *
   * @throws RedisFailure
   */
  page(reading: Reading): Promise<Page> {
    if (reading.floors !== undefined) return this.#read(reading);
    const key = `${formatId(reading.cursor)} ${reading.filter.key}`;
    return this.#pages.get(key, reading.bound.generation, () => this.#read(reading));
  }

  /**
   * Where the kept messages of each topic begin.
   *
   * @throws RedisFailure
   */
  async floors(filter: TopicFilter, bound: Position): Promise<Floors> {
    const floors = new Map<string, Id>();
    for (const { topic, state } of await this.#known(filter, bound, bound.clock)) {
      const [oldest] = await this.#store.history({ topic, count: 1, descending: false });
      const floor = oldest?.previous ?? state?.last;
      if (floor !== undefined) floors.set(topic, floor);
    }
    return floors;
  }

  /**
   * The cursor after which `count` messages of the filter follow.
   *
   * @throws RedisFailure
   */
  async cursorOfLast(filter: TopicFilter, { count, bound }: { count: number; bound: Position }) {
    if (count === 0) return bound.clock;
    const ids: Id[] = [];
    for (const { topic } of await this.#known(filter, bound, bound.clock)) {
      ids.push(...await this.#lastIds(topic, count + 1));
      ids.sort((a, b) => compareIds(b, a));
      ids.length = Math.min(ids.length, count + 1);
    }
    return ids[count] ?? ZERO;
  }

  async #lastIds(topic: string, count: number): Promise<Id[]> {
    const ids: Id[] = [];
    let before: Id | undefined;
    while (ids.length < count) {
      const [state] = (await this.#store.position({ topics: [topic] })).topics;
      const step = pageCount({
        largest: state?.largest ?? 0,
        bytes: PAGE_BYTES,
        most: count - ids.length,
      });
      const entries = await this.#store.history({ topic, before, count: step, descending: true });
      ids.push(...entries.map((entry) => entry.id));
      before = entries.at(-1)?.id;
      if (entries.length < step) break;
    }
    return ids;
  }

  #read(reading: Reading): Promise<Page> {
    return reading.filter.isOpen ? this.#readOpen(reading) : this.#readNamed(reading);
  }

  async #readNamed(reading: Reading): Promise<Page> {
    const { filter, bound } = reading;
    const known = filter.topics.map((topic, i) => ({ topic, state: bound.topics[i] }));
    return await this.#merge(reading, { known, upTo: bound.clock });
  }

  async #readOpen(reading: Reading): Promise<Page> {
    const { position, entries } = await this.#store.readLog({
      cursor: reading.cursor,
      count: LOG_ENTRIES,
    });
    if (position.lost) return lostPage(position);
    const [oldest] = entries;
    if (oldest !== undefined && compareIds(oldest.previous, reading.cursor) > 0) {
      return await this.#readBelowLog({ ...reading, bound: position }, oldest.previous);
    }
    const taken = takeBytes(entries, reading.filter);
    const read = await this.#frames(taken.matching, reading);
    const cursor = taken.all && entries.length < LOG_ENTRIES
      ? latestId(position.clock, taken.last ?? reading.cursor)
      : taken.last ?? reading.cursor;
    return { ...read, cursor, position };
  }

  async #frames(
    frames: readonly LogEntry[],
    { cursor, floors }: Reading,
  ): Promise<{ batch: Batch; gaps: Gap[] }> {
    const lists = await this.#store.readFrames(frames);
    const entries: TopicEntry[] = [];
    const gaps = new Map<string, Gap>();
    for (const [i, frame] of frames.entries()) {
      const list = (lists[i] ?? []).filter((entry) => compareIds(entry.id, cursor) > 0);
      entries.push(...list);
      const from = latestId(cursor, floors?.get(frame.topic) ?? cursor);
      // ids of one frame are consecutive: what lies at or before the start was not asked for
      const wanted = compareIds(from, frame.first) < 0
        ? frame.count
        : Math.max(0, frame.last.ms === from.ms ? frame.last.seq - from.seq : 0);
      if (list.length >= wanted) continue;
      const known = gaps.get(frame.topic);
      const before = list[0]?.id;
      gaps.set(frame.topic, {
        topic: frame.topic,
        after: known?.after ?? formatId(from),
        before: before === undefined ? null : formatId(before),
        reason: "retention",
      });
    }
    return { batch: batchOf(entries), gaps: [...gaps.values()] };
  }

  /** Below the log's floor the topics themselves are merged, in slices of time that adapt to how much there is. */
  async #readBelowLog(reading: Reading, floor: Id): Promise<Page> {
    const { bound, cursor, filter } = reading;
    const all = await this.#known(filter, bound, floor);
    const known = all.filter(({ state }) =>
      state !== undefined && compareIds(state.last, cursor) > 0
    );
    const end = { ms: cursor.ms + this.#sliceMs, seq: 0 };
    const upTo = compareIds(end, floor) < 0 ? end : floor;
    const page = await this.#merge(reading, { known, upTo });
    const full = compareIds(page.cursor, upTo) < 0;
    if (full) this.#sliceMs = Math.max(1, Math.floor(this.#sliceMs / 2));
    else if (page.batch.ids.length < PAGE_MESSAGES / 4) {
      this.#sliceMs = Math.min(this.#sliceMs * 4, LONGEST_SLICE_MS);
    }
    if (compareIds(bound.purged, cursor) <= 0) return page;
    const gap: Gap = {
      topic: null,
      after: formatId(cursor),
      before: null,
      reason: "deleted",
    };
    return compareIds(bound.purged, page.cursor) <= 0
      ? { ...page, gaps: [...page.gaps, gap] }
      : page;
  }

  async #merge(
    reading: Reading,
    { known, upTo }: { known: readonly KnownTopic[]; upTo: Id },
  ): Promise<Page> {
    const { cursor, filter, floors } = reading;
    const candidates = known.filter(({ state }) =>
      state !== undefined && compareIds(state.last, cursor) > 0
    );
    const share = Math.max(1, candidates.length);
    const reads: TopicRead[] = [];
    let position: Position | undefined;
    for (let i = 0; i === 0 || i < candidates.length; i += TOPICS_A_CALL) {
      const part = candidates.slice(i, i + TOPICS_A_CALL).map((candidate) => ({
        ...candidate,
        after: cursor,
        upTo,
        count: pageCount({
          largest: candidate.state?.largest ?? 0,
          bytes: PAGE_BYTES / share,
          most: Math.ceil(2 * PAGE_MESSAGES / share),
        }),
      }));
      const read = await this.#store.readTopics({ cursor, topics: filter.topics, ranges: part });
      if (read.position.lost) return lostPage(read.position);
      position ??= read.position;
      for (const [k, entries] of read.ranges.entries()) {
        const candidate = part[k];
        if (candidate === undefined) continue;
        reads.push({ ...candidate, entries, truncated: entries.length >= candidate.count });
      }
    }
    const merged = mergeReads(reads, { after: cursor, upTo: latestId(upTo, cursor), floors });
    return { ...merged, position: position ?? reading.bound };
  }

  /** The filter's topics with what is known of them, as of `upTo` or later. */
  async #known(filter: TopicFilter, bound: Position, upTo: Id): Promise<readonly KnownTopic[]> {
    if (!filter.isOpen) {
      return filter.topics.map((topic, i) => ({ topic, state: bound.topics[i] }));
    }
    if (this.#names === undefined || compareIds(this.#names.clock, upTo) < 0) {
      this.#names = { clock: bound.clock, topics: await this.#allTopics() };
    }
    return this.#names.topics.filter(({ topic }) => filter.matches(topic));
  }

  async #allTopics(): Promise<KnownTopic[]> {
    const all: KnownTopic[] = [];
    let after: string | undefined;
    for (;;) {
      const some = await this.#store.topics({
        count: TOPICS_A_CALL,
        ...(after === undefined ? {} : { after }),
      });
      all.push(...some);
      after = some.at(-1)?.topic;
      if (some.length < TOPICS_A_CALL) return all;
    }
  }
}

function lostPage(position: Position): Page {
  return {
    batch: new Batch([], []),
    gaps: [],
    cursor: position.cursor ?? position.clock,
    position,
  };
}

function takeBytes(
  entries: readonly LogEntry[],
  filter: TopicFilter,
): { matching: LogEntry[]; last: Id | undefined; all: boolean } {
  const matching: LogEntry[] = [];
  let bytes = 0;
  let last: Id | undefined;
  for (const entry of entries) {
    if (filter.matches(entry.topic)) {
      bytes += entry.bytes;
      if (matching.length > 0 && bytes > PAGE_BYTES) return { matching, last, all: false };
      matching.push(entry);
    }
    last = entry.last;
  }
  return { matching, last, all: true };
}
