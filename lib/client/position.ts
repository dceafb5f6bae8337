/** Where a subscription stands, read from its cursor: the id of the last message of each partition that it spans. */
export class Position {
  /** By partition; where there is one, its number is not known and "". */
  readonly #ids = new Map<string, string>();
  /** How many partitions there are; empty where the cursor does not say. */
  readonly #count: string;

  constructor(cursor: string) {
    const [, parts = cursor, count = ""] = /^(.*)~(\d+)$/.exec(cursor) ?? [];
    this.#count = count;
    for (const part of parts.split("~")) {
      const [id = "", number = ""] = part.split(".").reverse();
      this.#ids.set(number, id);
    }
  }

  /** The cursor. */
  get text(): string {
    const parts = [...this.#ids].map(([number, id]) => number ? `${number}.${id}` : id);
    return (this.#count ? [...parts, this.#count] : parts).join("~");
  }

  /**
   * Whether a message lies behind it; undefined where that cannot be said.
   *
   * @param at where a stream stands after that message, which spans this one's partitions and maybe more
   */
  isBefore(id: string, at: Position): boolean | undefined {
    const own = this.#ids.get("");
    if (own !== undefined) return rank(id) > rank(own);
    if (at.#count !== this.#count) return undefined;
    return [...this.#ids].some(([number, seen]) =>
      at.#ids.get(number) === id && rank(id) > rank(seen)
    );
  }

  /** Goes to where such a stream stands. One of a single partition goes with its messages alone, if that has more. */
  advance(at: Position, id?: string): void {
    for (const [number, seen] of this.#ids) {
      const next = at.#ids.get(number) ?? (number ? undefined : id);
      if (next && rank(next) > rank(seen)) this.#ids.set(number, next);
    }
  }
}

// the generation that gave an id out counts before its time: what a failover cut off may be of a later time
function rank(id: string): string {
  const [ms = 0, seq = 0] = id.split("-").map(Number);
  return [Math.floor(seq / 65536), ms, seq].map((part) => `${part}`.padStart(16, "0")).join();
}
