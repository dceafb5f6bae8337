/** The tabs of a topic's page; the first one is shown where none is named. */
export const TOPIC_TABS = ["live", "history", "groups", "dead", "settings"] as const;

/** A tab of a topic's page. */
export type TopicTab = typeof TOPIC_TABS[number];

/** What a part of the address after `#` shows. */
export type Place =
  | { readonly kind: "overview" }
  | { readonly kind: "topic"; readonly topic: string; readonly tab: TopicTab };

const TOPIC = "#/topics/";
const OVERVIEW: Place = { kind: "overview" };

/** Reads a `location.hash`; whatever makes no sense is the overview. */
export function placeOf(hash: string): Place {
  if (!hash.startsWith(TOPIC)) return OVERVIEW;
  const [name = "", named = TOPIC_TABS[0], ...more] = hash.slice(TOPIC.length).split("/");
  const tab = TOPIC_TABS.find((one) => one === named);
  if (tab === undefined || more.length > 0) return OVERVIEW;
  try {
    const topic = decodeURIComponent(name);
    return topic === "" ? OVERVIEW : { kind: "topic", topic, tab };
  } catch {
    return OVERVIEW;
  }
}

/** The `href` of a topic's page. @param tab the one that is open there */
export function topicHref(topic: string, tab: TopicTab = TOPIC_TABS[0]): string {
  const page = TOPIC + encodeURIComponent(topic);
  return tab === TOPIC_TABS[0] ? page : `${page}/${tab}`;
}
