/** Whether a name has wildcards. */
export function isPattern(name: string): boolean {
  return name.includes("*");
}

const ANY = 0x2a;
const DELIMITERS = "./:";
const NOT_IN_STAR = new Set([...DELIMITERS].map((c) => c.charCodeAt(0)));
const SEGMENT = /[^./:]*[./:]|[^./:]+/g;

/** A topic or pattern cut behind each `.`, `/` and `:`, which `*` does not go over. */
export function segmentsOf(name: string): readonly string[] {
  return name.match(SEGMENT) ?? [];
}

/** The segment of a pattern that is all `*` and takes this one; this one itself where it has nothing for `*` to take. */
export function starOf(segment: string): string {
  const last = segment.slice(-1);
  if (!DELIMITERS.includes(last)) return "*";
  return segment.length > 1 ? `*${last}` : segment;
}

/**
 * A topic with wildcards: `*` matches one or more characters but not `.`, `/` or `:`; `**` matches anything, also
 * nothing. Neither matches a topic with a leading `$`.
 *
 * Matching follows all possibilities at once, 32 in one step: no pattern can make it take more than (length of the topic)
 * x (length of the pattern / 32) steps.
 */
export class TopicPattern {
  /** The literal start that every match has. */
  readonly prefix: string;
  // most names that do not match are known by their start or their end, which takes no steps
  readonly #suffix: string;
  // bits of the places between the characters behind the prefix: which are left by a character that `*` stands for, stay
  // at any such character, or at any at all; and which are left by a character of their own
  readonly #ones: Uint32Array;
  readonly #stars: Uint32Array;
  readonly #globs: Uint32Array;
  readonly #literals = new Map<number, Uint32Array>();
  readonly #end: number;

  constructor(readonly text: string) {
    const start = isPattern(text) ? text.indexOf("*") : text.length;
    this.prefix = text.slice(0, start);
    this.#suffix = text.slice(text.lastIndexOf("*") + 1);
    const words = ((text.length - start) >> 5) + 1;
    const none = () => new Uint32Array(words);
    [this.#ones, this.#stars, this.#globs] = [none(), none(), none()];
    let place = 0;
    for (let i = start; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code !== ANY) {
        const places = this.#literals.get(code) ?? none();
        this.#literals.set(code, places);
        mark(places, place++);
      } else if (text.charCodeAt(i + 1) === ANY) {
        mark(this.#globs, place);
        i++;
      } else {
        mark(this.#ones, place++);
        mark(this.#stars, place);
      }
    }
    this.#end = place;
  }

  /** Whether a topic matches. */
  matches(topic: string): boolean {
    return !topic.startsWith("$") && this.takes(topic);
  }

  /**
   * Whether it matches whatever a topic or pattern stands for, where a leading `$` is a character like any other. Of the
   * places only those are kept that are certain to be reached, whatever stands for the wildcards of `name`.
   */
  takes(name: string): boolean {
    if (!name.startsWith(this.prefix) || !name.endsWith(this.#suffix)) return false;
    const places = new Uint32Array(this.#ones.length);
    mark(places, 0);
    for (let i = this.prefix.length; i < name.length; i++) {
      const code = name.charCodeAt(i);
      if (code !== ANY) this.#step(places, code);
      else if (name.charCodeAt(i + 1) === ANY) {
        this.#stay(places, this.#globs);
        i++;
      } else {
        // one such character, and then any number of them
        this.#step(places, ANY);
        this.#stay(places, this.#globs, this.#stars);
      }
      if (places.every((word) => word === 0)) return false;
    }
    return isMarked(places, this.#end);
  }

  /** Goes on behind one character; `*` is any one that `*` stands for. */
  #step(places: Uint32Array, code: number): void {
    const isInStar = !NOT_IN_STAR.has(code);
    const literals = this.#literals.get(code);
    let carry = 0;
    for (let i = 0; i < places.length; i++) {
      const word = places[i] ?? 0;
      const star = isInStar ? this.#stars[i] ?? 0 : 0;
      const one = isInStar ? this.#ones[i] ?? 0 : 0;
      const left = word & (one | (literals?.[i] ?? 0));
      places[i] = (word & ((this.#globs[i] ?? 0) | star)) | (left << 1) | carry;
      carry = left >>> 31;
    }
  }

  #stay(places: Uint32Array, globs: Uint32Array, stars?: Uint32Array): void {
    for (let i = 0; i < places.length; i++) {
      places[i] = (places[i] ?? 0) & ((globs[i] ?? 0) | (stars?.[i] ?? 0));
    }
  }
}

function mark(places: Uint32Array, place: number): void {
  places[place >> 5] = (places[place >> 5] ?? 0) | (1 << (place & 31));
}

function isMarked(places: Uint32Array, place: number): boolean {
  return ((places[place >> 5] ?? 0) >>> (place & 31) & 1) === 1;
}
