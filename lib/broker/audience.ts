import { PatternIndex } from "./pattern_index.ts";
import type { TopicFilter } from "./topic_filter.ts";

/** Whoever a filter belongs to. */
export interface Filtered {
  readonly filter: TopicFilter;
}

/** Who listens to which topic, by its name or by a pattern. A message costs its matches, not the number of patterns. */
export class Audience<T extends Filtered> {
  readonly #named = new Map<string, Set<T>>();
  readonly #open = new PatternIndex<T>();

  /** Adds a listener. */
  add(listener: T): void {
    const { topics, patterns } = listener.filter;
    for (const topic of topics) this.#namedOf(topic).add(listener);
    for (const pattern of patterns) this.#open.add(pattern, listener);
  }

  /** Removes a listener; one that is not there is ignored. */
  remove(listener: T): void {
    const { topics, patterns } = listener.filter;
    for (const topic of topics) {
      const listeners = this.#named.get(topic);
      listeners?.delete(listener);
      if (listeners?.size === 0) this.#named.delete(topic);
    }
    for (const pattern of patterns) this.#open.delete(pattern, listener);
  }

  /** Whether anybody listens to a topic. */
  has(topic: string): boolean {
    return this.#named.has(topic) || this.#open.of(topic).some(({ size }) => size > 0);
  }

  /** Calls `tell` once for each listener of a topic; it may remove listeners. */
  forEach(topic: string, tell: (listener: T) => void): void {
    const named = this.#named.get(topic);
    const open = this.#open.of(topic);
    const [only = named] = open;
    if (open.length + (named === undefined ? 0 : 1) <= 1) return only?.forEach(tell);
    const told = new Set<T>();
    const tellOnce = (listener: T) => {
      if (told.has(listener)) return;
      told.add(listener);
      tell(listener);
    };
    named?.forEach(tellOnce);
    for (const listeners of open) listeners.forEach(tellOnce);
  }

  /** Everybody, whatever they listen to. */
  all(): Set<T> {
    const all = new Set<T>();
    for (const listeners of this.#named.values()) listeners.forEach((one) => all.add(one));
    for (const listeners of this.#open.all()) listeners.forEach((one) => all.add(one));
    return all;
  }

  #namedOf(topic: string): Set<T> {
    let listeners = this.#named.get(topic);
    if (listeners === undefined) this.#named.set(topic, listeners = new Set());
    return listeners;
  }
}
