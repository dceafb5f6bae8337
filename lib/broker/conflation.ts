import { compareIds, formatId, type Id } from "../codec/id.ts";
import type { StoredMessage } from "../codec/message.ts";
import { Batch } from "./batch.ts";
import type { Gap, Page } from "./page.ts";
import type { PageReader, Reading } from "./reader.ts";

/** What a window holds at the most before it is given, the last page read apart. */
export interface WindowLimits {
  /** Bytes of the bodies that are kept. */
  readonly bytes: number;
  /** Messages that are kept. */
  readonly kept: number;
  /** Messages that are read: a client that comes and goes must get on. */
  readonly read: number;
}

const LIMITS: WindowLimits = { bytes: 4 << 20, kept: 10_000, read: 100_000 };

/** Options of {@link ConflatingReader}. */
export interface ConflatingOptions {
  /** Ends the reading ahead, with what has been read. */
  readonly signal: AbortSignal;
  /** @default 4 MiB, 10,000 kept, 100,000 read */
  readonly limits?: WindowLimits;
}

/**
 * Reads pages ahead up to where the partition stands and leaves out whatever is superseded in them: of the messages of
 * one topic with the same key only the newest is given. What was left out is announced before, once a topic.
 *
 * What is given stays in id order, and what supersedes a message has a higher id. So a client that drops anywhere and
 * resumes lacks nothing but what was announced.
 */
export class ConflatingReader implements PageReader {
  readonly #reader: PageReader;
  readonly #options: Required<ConflatingOptions>;
  #behind = true;

  constructor(reader: PageReader, options: ConflatingOptions) {
    this.#reader = reader;
    this.#options = { limits: LIMITS, ...options };
  }

  /** Whether there may be much that was not read: what comes live instead would not be conflated. */
  get isBehind(): boolean {
    return this.#behind;
  }

  /** Says that the client takes less than comes, or that the feed broke. */
  fallBehind(): void {
    this.#behind = true;
  }

  /**
   * Reads the next window: as {@link PageReader.page}, up to the present clock or a window's limits.
   *
   * @throws RedisFailure where not even the first page could be read
   */
  async page(reading: Reading): Promise<Page> {
    let page = await this.#reader.page(reading);
    if (page.position.lost) return page;
    const { now, clock } = page.position;
    const window = new Window(this.#options.limits, now);
    const { gaps } = page;
    window.add(page.batch);
    while (compareIds(page.cursor, clock) < 0 && !window.isFull && !this.#options.signal.aborted) {
      const next = await this.#next({ ...reading, cursor: page.cursor, bound: page.position });
      if (next === undefined) break;
      window.add(next.batch);
      page = next;
    }
    this.#behind = compareIds(page.cursor, clock) < 0;
    return { ...page, batch: window.batch(), gaps: [...gaps, ...window.gaps(reading.cursor)] };
  }

  /** The page after, unless it says something that has its place after what was read so far. */
  async #next(reading: Reading): Promise<Page | undefined> {
    try {
      const page = await this.#reader.page(reading);
      const { lost, generation } = page.position;
      return lost || generation !== reading.bound.generation || page.gaps.length > 0
        ? undefined
        : page;
    } catch {
      // what was read is given first; the page is read again then, and fails again where it must
      return undefined;
    }
  }
}

/** What was left out of one topic. */
interface Skipped {
  count: number;
  /** The id of what superseded the last of them. */
  before: Id;
}

/** The newest messages of what was read. */
class Window {
  readonly #limits: WindowLimits;
  readonly #now: number;
  #read = 0;
  #bytes = 0;
  // by the number of the message, in the order of which they are given
  readonly #kept = new Map<number, { id: Id; message: StoredMessage }>();
  readonly #newest = new Map<string, Map<string, number>>();
  readonly #skipped = new Map<string, Skipped>();

  constructor(limits: WindowLimits, now: number) {
    this.#limits = limits;
    this.#now = now;
  }

  get isFull(): boolean {
    const { bytes, kept, read } = this.#limits;
    return this.#bytes >= bytes || this.#kept.size >= kept || this.#read >= read;
  }

  add({ ids, messages }: Batch): void {
    for (const [i, message] of messages.entries()) {
      const id = ids[i];
      if (id !== undefined) this.#keep(id, message);
    }
  }

  batch(): Batch {
    const kept = [...this.#kept.values()];
    return new Batch(kept.map(({ id }) => id), kept.map(({ message }) => message));
  }

  gaps(after: Id): Gap[] {
    return [...this.#skipped].map(([topic, { count, before }]) => ({
      topic,
      after: formatId(after),
      before: formatId(before),
      reason: "conflated",
      skipped: count,
    }));
  }

  #keep(id: Id, message: StoredMessage): void {
    const number = this.#read++;
    const { topic, key } = message;
    if (key !== undefined) {
      let newest = this.#newest.get(topic);
      if (newest === undefined) this.#newest.set(topic, newest = new Map());
      const older = newest.get(key);
      if (older !== undefined) this.#skip(older, id);
      newest.set(key, number);
    }
    this.#kept.set(number, { id, message });
    this.#bytes += message.body.length;
  }

  #skip(number: number, before: Id): void {
    const message = this.#kept.get(number)?.message;
    if (message === undefined) return;
    this.#kept.delete(number);
    this.#bytes -= message.body.length;
    // nobody was to get it any more
    if (message.expires !== undefined && message.expires <= this.#now) return;
    const { topic } = message;
    this.#skipped.set(topic, { count: (this.#skipped.get(topic)?.count ?? 0) + 1, before });
  }
}
