/** How long nothing came. */

/** Something that came at a time, in milliseconds, for a topic. */
export interface Arrival {
  readonly topic: string;
  readonly at: number;
}

/** The longest time between two arrivals of one topic, in milliseconds. They are given in the order of time. */
export function longestPause(arrivals: readonly Arrival[]): number {
  const latest = new Map<string, number>();
  let longest = 0;
  for (const { topic, at } of arrivals) {
    longest = Math.max(longest, at - (latest.get(topic) ?? at));
    latest.set(topic, at);
  }
  return longest;
}
