import { addSample, type Sample } from "./rates.ts";

/** A topic, as a list of topics tells of it. */
export interface TopicSummary {
  readonly topic: string;
  /** Messages ever published to it. */
  readonly count: number;
  readonly lastId: string | null;
}

/** What `GET /topics` answers. */
export interface TopicPage {
  readonly topics: readonly TopicSummary[];
  /** What the following page starts after, where there is one. */
  readonly next?: string;
  /** Whether some Redis servers were out of reach, so that their topics are not in the list. */
  readonly missing?: true;
}

/** A topic, with how its count changed. */
export interface TopicRow extends TopicSummary {
  readonly samples: readonly Sample[];
}

/** Where a page belongs. */
export interface PlaceOfPage {
  /** What it was asked to start after. */
  readonly after?: string | undefined;
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
}

/**
 * Puts a page in its place among rows: what stands between its bounds and is not in it is gone, unless some topics could
 * not be told of.
 */
export function placePage(
  rows: readonly TopicRow[],
  { topics, next, missing }: TopicPage,
  { after, at }: PlaceOfPage,
): readonly TopicRow[] {
  const start = after === undefined ? 0 : firstAfter(rows, after);
  const last = topics.at(-1)?.topic;
  const end = next === undefined || last === undefined ? rows.length : firstAfter(rows, last);
  const before = rows.slice(start, end);
  const known = new Map(before.map((row) => [row.topic, row]));
  const fresh = topics.map((summary) => {
    const samples = known.get(summary.topic)?.samples ?? [];
    known.delete(summary.topic);
    return { ...summary, samples: addSample(samples, { at, count: summary.count }) };
  });
  const kept = missing === true
    ? [...fresh, ...known.values()].sort((a, b) => compareTopics(a.topic, b.topic))
    : fresh;
  return [...rows.slice(0, start), ...kept, ...rows.slice(end)];
}

/** The place of the first row behind a topic. */
function firstAfter(rows: readonly TopicRow[], topic: string): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareTopics(rows[middle]?.topic ?? "", topic) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The order of the server: that of UTF-8, which is that of code points and not of `<`. */
export function compareTopics(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return lifted(x) - lifted(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for what is above all other units. */
function lifted(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
