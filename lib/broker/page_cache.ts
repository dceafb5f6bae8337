import type { Page } from "./page.ts";

/** What the cache holds at the most. */
const BYTES = 8 << 20;
/** After this a page is read anew, and goes with the next one that comes: it is not kept for the sake of nobody. */
const KEEP_MS = 2_000;

interface Kept {
  readonly page: Page;
  readonly since: number;
}

/**
 * Pages shared by whoever reads from the same cursor: while being read, and for a moment after, so that a thousand
 * clients that come back at once cost one read. A page says what is between two positions, which stays true: a page
 * that is not the newest is merely shorter.
 */
export class PageCache {
  readonly #reading = new Map<string, Promise<Page>>();
  readonly #kept = new Map<string, Kept>();
  #bytes = 0;
  #generation = 0;

  /** How many pages it holds. */
  get size(): number {
    return this.#kept.size;
  }

  /** The page under `key`, read by `read` where nobody has. Pages of another generation are forgotten. */
  get(key: string, generation: number, read: () => Promise<Page>): Promise<Page> {
    if (generation !== this.#generation) this.#clear(generation);
    const kept = this.#kept.get(key);
    if (kept !== undefined) {
      if (performance.now() - kept.since < KEEP_MS) return Promise.resolve(kept.page);
      this.#drop(key, kept);
    }
    const underWay = this.#reading.get(key);
    if (underWay !== undefined) return underWay;
    const reading = read().finally(() => {
      if (this.#reading.get(key) === reading) this.#reading.delete(key);
    });
    this.#reading.set(key, reading);
    reading.then((page) => this.#keep(key, page), () => {});
    return reading;
  }

  #keep(key: string, page: Page): void {
    // an empty page would be read again and again by whoever waits for the next message
    if (page.batch.ids.length === 0 || page.position.generation !== this.#generation) return;
    const now = performance.now();
    this.#kept.set(key, { page, since: now });
    this.#bytes += page.batch.bytes;
    for (const [oldest, kept] of this.#kept) {
      if (this.#bytes <= BYTES && now - kept.since < KEEP_MS) break;
      this.#drop(oldest, kept);
    }
  }

  #drop(key: string, kept: Kept): void {
    if (this.#kept.delete(key)) this.#bytes -= kept.page.batch.bytes;
  }

  #clear(generation: number): void {
    this.#generation = generation;
    this.#kept.clear();
    this.#reading.clear();
    this.#bytes = 0;
  }
}
