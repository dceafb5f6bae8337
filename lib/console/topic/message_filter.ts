import type { RawMessage } from "./raw_message.ts";
import type { TailBuffer, TailRow } from "./tail_buffer.ts";

/** Says whether a message is wanted. */
export type MessageFilter = (message: RawMessage) => boolean;

/**
 * A filter for messages that have a text somewhere in their payload, type, key or headers, whatever its case; undefined
 * where the text is empty. What stands in a JSON string with a backslash is found with and without it.
 */
export function messageFilter(text: string): MessageFilter | undefined {
  const wanted = text.trim();
  if (wanted === "") return undefined;
  const written = JSON.stringify(wanted).slice(1, -1);
  const ways = [...new Set([wanted, written])].map(escapeRegExp);
  const pattern = new RegExp(ways.join("|"), "giu");
  return (message) => {
    pattern.lastIndex = message.own;
    for (let found = pattern.exec(message.text); found; found = pattern.exec(message.text)) {
      if (!isName(message, found.index)) return true;
    }
    return false;
  };
}

/** The names of a message's own fields are in each message, so they are not what is looked for. */
function isName({ text, own, payload }: RawMessage, at: number): boolean {
  if (at >= payload.start) return false;
  const names = /"(?:type|key|headers|contentType|replyTo|deliveries|data|dataBase64)":/g;
  names.lastIndex = own;
  for (let found = names.exec(text); found; found = names.exec(text)) {
    if (found.index > at) return false;
    if (at < names.lastIndex) return true;
  }
  return false;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}

/** Rows looked at before the clock is read again. */
const STRIDE = 32;
/** Characters of a message that is worth a look at the clock by itself. */
const LONG = 100_000;

/** The rows of a buffer that a filter lets through; gaps and notices always pass. It looks at them bit by bit. */
export class FilteredRows {
  readonly #buffer: TailBuffer;
  #filter: MessageFilter | undefined;
  #numbers: number[] = [];
  /** Numbers at the start of the array whose rows are gone. */
  #gone = 0;
  #next = 0;
  /** Numbers of those that are gaps and notices. */
  #others: number[] = [];
  /** Numbers that were at the start of the array before it was moved. */
  #moved = 0;

  constructor(buffer: TailBuffer) {
    this.#buffer = buffer;
  }

  /** Filters otherwise, and looks at every row anew. */
  use(filter: MessageFilter | undefined): void {
    this.#filter = filter;
    this.reset();
  }

  /** Looks at every row anew. */
  reset(): void {
    this.#numbers = [];
    this.#gone = 0;
    this.#moved = 0;
    this.#others = [];
    this.#next = 0;
  }

  /** How many rows there were before the first one. */
  get shift(): number {
    if (this.#filter === undefined) return this.#buffer.first;
    this.#forget();
    return this.#moved + this.#gone;
  }

  /** How many rows pass, as far as they were looked at. */
  get length(): number {
    if (this.#filter === undefined) return this.#buffer.length;
    this.#forget();
    return this.#numbers.length - this.#gone;
  }

  /** How many messages the filter lets through, as far as they were looked at. */
  get matches(): number {
    const { first } = this.#buffer;
    return this.length - this.#others.filter((number) => number >= first).length;
  }

  /** The number of the row at a place. */
  numberAt(index: number): number {
    if (this.#filter === undefined) return this.#buffer.first + index;
    this.#forget();
    return this.#numbers[this.#gone + index] ?? this.#buffer.end;
  }

  /** The place of a row, or where it would be. */
  indexOf(number: number): number {
    if (this.#filter === undefined) return number - this.#buffer.first;
    this.#forget();
    let [low, high] = [this.#gone, this.#numbers.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#numbers[middle] ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low - this.#gone;
  }

  /** The row at a place. */
  at(index: number): TailRow | undefined {
    return this.#buffer.at(this.numberAt(index));
  }

  /**
   * Looks at rows for so many milliseconds.
   *
   * @returns whether all of them were looked at
   */
  advance(budgetMs: number): boolean {
    const filter = this.#filter;
    if (filter === undefined) return true;
    const end = performance.now() + budgetMs;
    this.#next = Math.max(this.#next, this.#buffer.first);
    while (this.#next < this.#buffer.end) {
      const stop = Math.min(this.#next + STRIDE, this.#buffer.end);
      for (; this.#next < stop; this.#next++) {
        const row = this.#buffer.at(this.#next);
        if (row === undefined) continue;
        const isOther = row.kind !== "message";
        if (isOther) this.#others.push(this.#next);
        if (isOther || filter(row.message)) this.#numbers.push(this.#next);
        // one message may be as long as thousands
        if (row.kind === "message" && row.message.text.length > LONG) {
          this.#next++;
          break;
        }
      }
      if (performance.now() >= end) break;
    }
    return this.#next >= this.#buffer.end;
  }

  #forget(): void {
    const { first } = this.#buffer;
    while (this.#gone < this.#numbers.length && (this.#numbers[this.#gone] ?? 0) < first) {
      this.#gone++;
    }
    if (this.#gone > 10_000) {
      this.#numbers = this.#numbers.slice(this.#gone);
      this.#moved += this.#gone;
      this.#gone = 0;
    }
  }
}
