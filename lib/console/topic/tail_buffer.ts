import type { RawMessage } from "./raw_message.ts";

/** One row of a tail. */
export type TailRow =
  | { readonly kind: "message"; readonly message: RawMessage }
  /** Messages that are gone. */
  | { readonly kind: "gap"; readonly reason: string; readonly at: number }
  /** What happened to the connection, or to what is kept here. */
  | { readonly kind: "notice"; readonly text: string; readonly at: number };

/** How much a {@link TailBuffer} keeps. */
export interface TailLimits {
  /** Rows. */
  readonly rows: number;
  /** Characters of all messages. */
  readonly characters: number;
}

/** How much is kept of a tail: what people scroll through, and what a browser's tab can bear. */
export const TAIL_LIMITS: TailLimits = { rows: 10_000, characters: 32 << 20 };

/** The last rows of a tail, each under a number that stays: the oldest go when there are too many. */
export class TailBuffer {
  readonly #limits: TailLimits;
  #rows: TailRow[] = [];
  /** Rows at the start of the array that are gone; moved out at once now and then. */
  #gone = 0;
  #moved = 0;
  #characters = 0;
  #dropped = 0;

  constructor(limits: TailLimits = TAIL_LIMITS) {
    this.#limits = limits;
  }

  /** Number of the oldest row that is kept. */
  get first(): number {
    return this.#moved + this.#gone;
  }

  /** Number that the next row gets. */
  get end(): number {
    return this.#moved + this.#rows.length;
  }

  /** How many rows are kept. */
  get length(): number {
    return this.#rows.length - this.#gone;
  }

  /** Characters of all messages that are kept. */
  get characters(): number {
    return this.#characters;
  }

  /** How many messages went because there were too many. */
  get dropped(): number {
    return this.#dropped;
  }

  /** A row by its number; undefined where it is gone, or not there yet. */
  at(number: number): TailRow | undefined {
    return number < this.first ? undefined : this.#rows[number - this.#moved];
  }

  /** Adds a row at the end. The newest stays, whatever its size. */
  push(row: TailRow): void {
    this.#rows.push(row);
    this.#characters += sizeOf(row);
    const { rows, characters } = this.#limits;
    while (this.length > rows || (this.#characters > characters && this.length > 1)) this.#drop();
    if (this.#gone > rows) this.#compact();
  }

  /** Forgets every row. Numbers go on. */
  clear(): void {
    this.#moved = this.end;
    this.#rows = [];
    this.#gone = 0;
    this.#characters = 0;
    this.#dropped = 0;
  }

  #drop(): void {
    const row = this.#rows[this.#gone];
    if (row === undefined) return;
    this.#characters -= sizeOf(row);
    if (row.kind === "message") this.#dropped++;
    // so that it can be freed before the array moves
    this.#rows[this.#gone] = GONE;
    this.#gone++;
  }

  #compact(): void {
    this.#rows = this.#rows.slice(this.#gone);
    this.#moved += this.#gone;
    this.#gone = 0;
  }
}

const GONE: TailRow = { kind: "notice", text: "", at: 0 };

function sizeOf(row: TailRow): number {
  return row.kind === "message" ? row.message.text.length : 0;
}
