import { compareIds, type Id, ZERO } from "../codec/id.ts";

/**
 * One channel of the feed. It is live only once Redis has confirmed the subscription **and then** its tail was read:
 * from `since` on, everything published on it comes on the link, and each frame names the one before.
 */
export class Channel {
  /** How many want it. */
  wanted = 0;
  /** When nobody wanted it any more, in `performance.now()` milliseconds. */
  idleSince = 0;
  /** Whether Redis has confirmed it on the present link. */
  subscribed = false;
  #live = false;
  #since: Id = ZERO;
  #last: Id | undefined;
  /** What came before the first frame since the last reset. */
  #begin: Id = ZERO;

  constructor(
    readonly name: string,
    /** The topic it carries; the partition's own carries all. */
    readonly topic?: string,
  ) {}

  /** Whether nothing after {@link since} is missing. */
  get live(): boolean {
    return this.#live;
  }

  /** Everything after this id has come or will come. */
  get since(): Id {
    return this.#since;
  }

  /** Id of the last frame, of the tail where none has come. */
  get last(): Id {
    return this.#last ?? this.#since;
  }

  /** Takes note of a frame; false where one before it is missing. */
  follow({ previous, last }: { previous: Id; last: Id }): boolean {
    const known = this.#last ?? (this.#live ? this.#since : undefined);
    if (known !== undefined && compareIds(last, known) <= 0) return true;
    const follows = known === undefined || compareIds(previous, known) === 0;
    if (this.#last === undefined) this.#begin = previous;
    this.#last = last;
    return follows;
  }

  /**
   * The subscription was confirmed before the tail was read, so the chain starts at `tail`. Where frames have come that
   * are later, and the first of them does not follow on it, one is missing between: it is live from another tail on.
   */
  start(tail: Id): void {
    if (this.#last !== undefined && compareIds(this.#last, tail) > 0) {
      if (compareIds(this.#begin, tail) > 0) return;
    } else this.#last = undefined;
    this.#live = true;
    this.#since = tail;
  }

  /** What was known of it holds no more. */
  reset({ link }: { link: boolean }): void {
    this.#live = false;
    this.#last = undefined;
    if (link) this.subscribed = false;
  }
}
