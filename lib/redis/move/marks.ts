import { type Collection, COLLECTIONS } from "./collection.ts";

/** What was written to one key since it was copied; see the script for what a mark is. */
export interface KeyMarks {
  readonly key: string;
  /** The whole key has to be copied once more. */
  whole: boolean;
  /** A stream has grown or was cut. */
  stream: boolean;
  /** Another time when the key expires. */
  expiry: boolean;
  collection: Collection | undefined;
  readonly members: string[];
}

/** The collections by the letter of a mark. */
const BY_LETTER: Readonly<Record<string, Collection | undefined>> = {
  H: COLLECTIONS.hash,
  Z: COLLECTIONS.zset,
  S: COLLECTIONS.set,
};

/** Sorts marks by their keys. */
export function sortMarks(marks: readonly string[]): KeyMarks[] {
  const byKey = new Map<string, KeyMarks>();
  for (const mark of marks) {
    const [letter = ""] = mark;
    const end = mark.indexOf("\n");
    const key = mark.slice(1, end < 0 ? undefined : end);
    let own = byKey.get(key);
    if (own === undefined) {
      own = { key, whole: false, stream: false, expiry: false, collection: undefined, members: [] };
      byKey.set(key, own);
    }
    if (letter === "K") own.whole = true;
    else if (letter === "X") own.stream = true;
    else if (letter === "E") own.expiry = true;
    else {
      const collection = BY_LETTER[letter];
      // another type stands there by now
      if (own.collection !== undefined && own.collection !== collection) own.whole = true;
      own.collection = collection;
      own.members.push(mark.slice(end + 1));
    }
  }
  return [...byKey.values()];
}
