import { compareIds, formatId, type Id, latestId, ZERO } from "../codec/id.ts";
import type { Position } from "../redis/position.ts";
import type { PartitionStore } from "../redis/store.ts";
import { Batch } from "./batch.ts";
import { mergeFrames, takeFrames } from "./frame_page.ts";
import {
  type Floors,
  type Gap,
  type KnownTopic,
  mergeReads,
  type Page,
  pageCount,
  type TopicRead,
} from "./page.ts";
import { PageCache } from "./page_cache.ts";
import { PositionCalls } from "./position_calls.ts";
import type { TopicFilter } from "./topic_filter.ts";
import { latestFirst, partsOf, unreadAfter, type UnreadTopic } from "./unread.ts";

/** What a page weighs at the most, one message apart. */
const PAGE_BYTES = 1 << 20;
const PAGE_MESSAGES = 1_000;
const LOG_ENTRIES = 512;
/** Topics asked for in one call. */
const TOPICS_A_CALL = 500;
const PART = { topics: TOPICS_A_CALL, messages: 2 * PAGE_MESSAGES };
const FIRST_SLICE_MS = 1_000;
const LONGEST_SLICE_MS = 10 * 365 * 86_400_000;

/** Where a reading stands: whose messages, from where, and what was known then. */
export interface Reading {
  readonly filter: TopicFilter;
  readonly cursor: Id;
  /** The position read last, of which everything up to its clock can be read now. */
  readonly bound: Position;
  readonly floors?: Floors | undefined;
  /** Most bytes of the page, one message apart. @default a megabyte */
  readonly bytes?: number | undefined;
}

/** Where pages come from. */
export interface PageReader {
  /**
   * Reads the next page. Where the page's position says `lost`, the cursor saw messages that are gone: nothing was
   * read, and the page's cursor is where to go on.
   *
   * @throws RedisFailure
   */
  page(reading: Reading): Promise<Page>;
}

/**
 * Reads messages from the log, a page at a time; the one way by which replay, repair and slow readers get theirs.
 * Readings of the same range share a page, and those of one turn their look at the position.
 */
export class Reader implements PageReader {
  readonly #store: PartitionStore;
  readonly #pages = new PageCache();
  readonly #positions: PositionCalls;
  #names: { generation: number; clock: Id; topics: readonly KnownTopic[] } | undefined;
  #sliceMs = FIRST_SLICE_MS;

  constructor(store: PartitionStore) {
    this.#store = store;
    this.#positions = new PositionCalls((question) => store.position(question));
  }

  /** Redis's time, in milliseconds since 1970: what expires by then is not delivered. */
  get now(): number {
    return this.#store.now;
  }

  /**
   * Reads where a cursor stands, and the topics named by the filter.
   *
   * @param options.isGuess whether the cursor may be of another partition
   * @throws RedisFailure
   */
  position(
    filter: TopicFilter,
    cursor: Id,
    { isGuess = false }: { isGuess?: boolean } = {},
  ): Promise<Position> {
    return this.#positions.get({ cursor, isGuess, topics: filter.topics });
  }

  /** See {@link PageReader.page}. */
  page(reading: Reading): Promise<Page> {
    if (reading.floors !== undefined) return this.#read(reading);
    const { cursor, bytes = PAGE_BYTES } = reading;
    const key = `${formatId(cursor)} ${bytes} ${reading.filter.key}`;
    return this.#pages.get(key, reading.bound.generation, () => this.#read(reading));
  }

  /**
   * Where the kept messages of each topic begin.
   *
   * @throws RedisFailure
   */
  async floors(filter: TopicFilter, bound: Position): Promise<Floors> {
    return await this.#floorsOf(await this.#known(filter, bound, bound.clock));
  }

  /**
   * The ids of the last messages of the filter, the latest first, `count` at the most.
   *
   * @throws RedisFailure
   */
  async lastIds(
    filter: TopicFilter,
    { count, bound }: { count: number; bound: Position },
  ): Promise<Id[]> {
    const ids: Id[] = [];
    for (const { topic, state } of latestFirst(await this.#known(filter, bound, bound.clock))) {
      // whatever this topic has, and those after it, is older than all that is wanted
      if (compareIds(ids[count - 1] ?? ZERO, state.last) > 0) break;
      ids.push(...await this.#lastIdsOf(topic, count));
      ids.sort((a, b) => compareIds(b, a));
      ids.length = Math.min(ids.length, count);
    }
    return ids;
  }

  async #lastIdsOf(topic: string, count: number): Promise<Id[]> {
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
    return reading.filter.isOpen ? this.#readByLog(reading) : this.#readNamed(reading);
  }

  async #readNamed(reading: Reading): Promise<Page> {
    const { filter, bound, cursor } = reading;
    const known = filter.topics.map((topic, i) => ({ topic, state: bound.topics[i] }));
    const unread = unreadAfter(known, cursor);
    const least = unread.reduce((sum, { state }) => sum + state.largest, 0);
    // where one message of each would be too much already, the log tells which come first
    if (unread.length > 1 && least > (reading.bytes ?? PAGE_BYTES)) {
      return await this.#readByLog(reading);
    }
    return await this.#merge(reading, { unread, upTo: bound.clock });
  }

  async #readByLog(reading: Reading): Promise<Page> {
    const { position, entries } = await this.#store.readLog({
      cursor: reading.cursor,
      topics: reading.filter.topics,
      count: LOG_ENTRIES,
    });
    if (position.lost) return lostPage(position);
    // a partition that came of another one begins without a log
    const floor = entries[0]?.previous ?? position.clock;
    if (compareIds(floor, reading.cursor) > 0) {
      return await this.#readBelowLog({ ...reading, bound: position }, floor);
    }
    const taken = takeFrames(entries, {
      filter: reading.filter,
      bytes: reading.bytes ?? PAGE_BYTES,
    });
    const { generation } = position;
    const lists = await this.#store.readFrames(taken.frames, { generation });
    const read = mergeFrames(taken.frames.map((frame, i) => ({ frame, entries: lists[i] ?? [] })), {
      after: reading.cursor,
      floors: reading.floors,
    });
    const cursor = taken.all && entries.length < LOG_ENTRIES
      ? latestId(position.clock, taken.last ?? reading.cursor)
      : taken.last ?? reading.cursor;
    return { ...read, cursor, position };
  }

  /** Below the log's floor the topics themselves are merged, in slices of time that adapt to how much there is. */
  async #readBelowLog(reading: Reading, floor: Id): Promise<Page> {
    const { bound, cursor, filter } = reading;
    const unread = unreadAfter(await this.#known(filter, bound, floor), cursor);
    const end = { ms: cursor.ms + this.#sliceMs, seq: 0 };
    const upTo = unread.length > 0 && compareIds(end, floor) < 0 ? end : floor;
    const page = await this.#merge(reading, { unread, upTo });
    if (page.position.generation !== bound.generation) return page;
    this.#adaptSlice(page, upTo);
    return { ...page, gaps: [...page.gaps, ...await this.#gapsOfSlice(page, reading, unread)] };
  }

  #adaptSlice(page: Page, upTo: Id): void {
    if (compareIds(page.cursor, upTo) < 0) {
      this.#sliceMs = Math.max(1, Math.floor(this.#sliceMs / 2));
    } else if (page.batch.ids.length < PAGE_MESSAGES / 4) {
      this.#sliceMs = Math.min(this.#sliceMs * 4, LONGEST_SLICE_MS);
    }
  }

  /**
   * What a slice cannot tell by its own messages: a topic whose kept messages begin after the slice may have lost some in
   * it, and a topic that was forgotten has lost all.
   */
  async #gapsOfSlice(
    page: Page,
    { cursor, floors, bound }: Reading,
    unread: readonly UnreadTopic[],
  ): Promise<Gap[]> {
    const told = new Set(page.gaps.map(({ topic }) => topic));
    for (const { topic } of page.batch.messages) told.add(topic);
    const silent = unread.filter(({ topic }) => !told.has(topic));
    const begins = await this.#floorsOf(silent);
    const gaps: Gap[] = [];
    for (const { topic, state } of silent) {
      const from = latestId(cursor, floors?.get(topic) ?? cursor);
      const begin = begins.get(topic) ?? from;
      if (compareIds(begin, from) <= 0 || compareIds(begin, page.cursor) > 0) continue;
      const reason = state.deletedAt === undefined ? "retention" : "deleted";
      gaps.push({ topic, after: formatId(from), before: null, reason });
    }
    const { purged } = bound;
    // what was forgotten before an earliest subscription began was never asked for
    const forgotten = floors === undefined && compareIds(purged, cursor) > 0;
    if (forgotten && compareIds(purged, page.cursor) <= 0) {
      gaps.push({ topic: null, after: formatId(cursor), before: null, reason: "deleted" });
    }
    return gaps;
  }

  async #merge(
    reading: Reading,
    { unread, upTo }: { unread: readonly UnreadTopic[]; upTo: Id },
  ): Promise<Page> {
    const { cursor, filter, floors, bound, bytes = PAGE_BYTES } = reading;
    const reads: TopicRead[] = [];
    let position: Position | undefined;
    // a read that ends at its count leaves the ones after it less to read
    let end = latestId(upTo, cursor);
    for (const part of partsOf(unread, { ...PART, bytes })) {
      const ranges = part.map((one) => ({ ...one, after: cursor, upTo: end }));
      const read = await this.#store.readTopics({ cursor, topics: filter.topics, ranges });
      if (read.position.lost) return lostPage(read.position);
      // the bound is of another generation, and says nothing of what is here
      if (read.position.generation !== bound.generation) {
        return { ...lostPage(read.position), cursor };
      }
      position ??= read.position;
      for (const [k, entries] of read.ranges.entries()) {
        const one = part[k];
        if (one === undefined) continue;
        const truncated = entries.length >= one.count;
        reads.push({ ...one, entries, truncated });
        const last = entries.at(-1)?.id;
        if (truncated && last !== undefined && compareIds(last, end) < 0) end = last;
      }
    }
    const merged = mergeReads(reads, { after: cursor, upTo: latestId(upTo, cursor), floors });
    return { ...merged, position: position ?? bound };
  }

  /** Id of the message before each topic's oldest one that is kept; of its last where none is. */
  async #floorsOf(known: readonly KnownTopic[]): Promise<Map<string, Id>> {
    const floors = new Map<string, Id>();
    for (let i = 0; i < known.length; i += TOPICS_A_CALL) {
      const part = known.slice(i, i + TOPICS_A_CALL);
      const begins = await this.#store.floors(part.map(({ topic }) => topic));
      for (const [k, { topic, state }] of part.entries()) {
        const floor = begins[k] ?? state?.last;
        if (floor !== undefined) floors.set(topic, floor);
      }
    }
    return floors;
  }

  /** The filter's topics with what is known of them, as of `upTo` or later. */
  async #known(filter: TopicFilter, bound: Position, upTo: Id): Promise<readonly KnownTopic[]> {
    if (!filter.isOpen) {
      return filter.topics.map((topic, i) => ({ topic, state: bound.topics[i] }));
    }
    const { generation, clock } = bound;
    let names = this.#names;
    if (names?.generation !== generation || compareIds(names.clock, upTo) < 0) {
      this.#names = names = { generation, clock, topics: await this.#allTopics() };
    }
    return names.topics.filter(({ topic }) => filter.matches(topic));
  }

  async #allTopics(): Promise<KnownTopic[]> {
    const all: KnownTopic[] = [];
    let after: string | undefined;
    for (;;) {
      const some = await this.#store.topics.list({
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
