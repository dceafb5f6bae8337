/** What `GET /topics` says of a topic, as far as it matters here. */
export interface TopicCount {
  readonly topic: string;
  /** Messages ever published to it. */
  readonly count: number;
  readonly lastId: string | null;
}

/** What is known of one topic. */
export interface TopicRow {
  readonly topic: string;
  readonly count: number;
  /** Messages a second between the last two looks; undefined until there were two. */
  readonly rate: number | undefined;
  /** The last rates, the newest last. */
  readonly history: readonly number[];
}

/** What rows are ordered by: the busiest, the largest, or the first in the alphabet come first. */
export type TopOrder = "rate" | "messages" | "name";

/** How many rates a row remembers. */
export const HISTORY = 8;

interface Entry {
  topic: string;
  count: number;
  /** Time of the last message in milliseconds, as its id says; 0 where there was none. */
  lastMs: number;
  rate: number | undefined;
  history: number[];
  /** When `count` was true, in milliseconds of this process's clock. */
  at: number;
}

/** Counts of topics as they were seen, and the rates that follow from them. Times are milliseconds of a steady clock. */
export class TopicTable {
  readonly #entries = new Map<string, Entry>();
  readonly #leastMs: number;

  constructor(
    /** Looks at a topic that follow each other in less than this are one: a rate over so short a time says nothing. */
    leastMs: number,
  ) {
    this.#leastMs = leastMs;
  }

  /** How many topics are known. */
  get size(): number {
    return this.#entries.size;
  }

  /** Messages a second into all topics together. */
  get rate(): number {
    let sum = 0;
    for (const { rate = 0 } of this.#entries.values()) sum += rate;
    return sum;
  }

  /** How many topics get messages. */
  get busy(): number {
    let busy = 0;
    for (const { rate = 0 } of this.#entries.values()) if (rate > 0) busy++;
    return busy;
  }

  /**
   * Takes what was seen of a topic at a time. One that is new at `emptyAt` or later had nothing then, so that it has a
   * rate at once.
   */
  look({ topic, count, lastId }: TopicCount, at: number, emptyAt?: number): void {
    const lastMs = lastId === null ? 0 : Number(lastId.slice(0, lastId.indexOf("-")));
    const known = this.#entries.get(topic);
    if (known === undefined) {
      const rate = emptyAt === undefined ? undefined : perSecond(count, at - emptyAt);
      const history = rate === undefined ? [] : [rate];
      this.#entries.set(topic, { topic, count, lastMs, rate, history, at });
      return;
    }
    if (at - known.at < this.#leastMs) return;
    // fewer than before: it was deleted, and is another one now
    const gained = count < known.count ? count : count - known.count;
    known.rate = perSecond(gained, at - known.at);
    known.history = [...known.history, known.rate].slice(-HISTORY);
    known.count = count;
    known.lastMs = lastMs;
    known.at = at;
  }

  /** Forgets a topic that is gone. */
  forget(topic: string): void {
    this.#entries.delete(topic);
  }

  /** Forgets what was not seen since a time. */
  forgetUnseen(since: number): void {
    for (const { topic, at } of this.#entries.values()) {
      if (at < since) this.#entries.delete(topic);
    }
  }

  /** How long ago the topic was seen that was not seen for longest, in milliseconds. */
  oldest(now: number): number {
    let oldest = now;
    for (const { at } of this.#entries.values()) oldest = Math.min(oldest, at);
    return now - oldest;
  }

  /** Some rows of the table in an order. */
  rows(order: TopOrder, { from, count }: { from: number; count: number }): TopicRow[] {
    return [...this.#entries.values()].sort(ORDERS[order]).slice(from, from + count);
  }
}

type Compare = (a: Entry, b: Entry) => number;

const byName: Compare = (a, b) => a.topic < b.topic ? -1 : 1;
// of those without a rate the one first that got a message last: it may well have one
const byRecency: Compare = (a, b) => b.lastMs - a.lastMs || byName(a, b);

const ORDERS: Readonly<Record<TopOrder, Compare>> = {
  rate: (a, b) => (b.rate ?? 0) - (a.rate ?? 0) || byRecency(a, b),
  messages: (a, b) => b.count - a.count || byName(a, b),
  name: byName,
};

function perSecond(count: number, ms: number): number {
  return ms <= 0 ? 0 : (count * 1_000) / ms;
}
