import type { Place } from "../place.ts";

/** A key, and what it does. */
export type KeyHelp = readonly [key: string, what: string];

const EVERYWHERE: readonly KeyHelp[] = [
  ["g", "Overview"],
  ["t", "Colours"],
  ["?", "These keys"],
];

const LIST: readonly KeyHelp[] = [
  ["j", "Next message"],
  ["k", "Message before"],
  ["Enter", "Go into it"],
];

const LIVE: readonly KeyHelp[] = [
  ["/", "Filter messages"],
  ...LIST,
  ["p", "Pause the tail, or go on"],
];

const OVERVIEW: readonly KeyHelp[] = [
  ["/", "Search topics"],
  ["j", "Next topic"],
  ["k", "Topic before"],
  ["Enter", "Open it"],
];

/** Which keys do what on a page; undefined is the one that asks for a credential. */
export function keysOf(place: Place | undefined): readonly KeyHelp[] {
  if (place === undefined) return EVERYWHERE;
  if (place.kind === "overview") return [...OVERVIEW, ...EVERYWHERE];
  const own = place.tab === "live" ? LIVE : place.tab === "history" ? LIST : [];
  return [...own, ...EVERYWHERE];
}
