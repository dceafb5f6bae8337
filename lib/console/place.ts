/** What a part of the address after `#` shows. */
export type Place =
  | { readonly kind: "overview" }
  | { readonly kind: "topic"; readonly topic: string };

const TOPIC = "#/topics/";

/** Reads a `location.hash`; whatever makes no sense is the overview. */
export function placeOf(hash: string): Place {
  if (!hash.startsWith(TOPIC)) return { kind: "overview" };
  try {
    const topic = decodeURIComponent(hash.slice(TOPIC.length));
    return topic === "" ? { kind: "overview" } : { kind: "topic", topic };
  } catch {
    return { kind: "overview" };
  }
}

/** The `href` of a topic's page. */
export function topicHref(topic: string): string {
  return TOPIC + encodeURIComponent(topic);
}
