import type { TopicFilter } from "./topic_filter.ts";

/** Whoever a filter belongs to. */
export interface Filtered {
  readonly filter: TopicFilter;
}

/** Most topics whose listeners by pattern are remembered. */
const REMEMBERED = 10_000;

/**
 * Who listens to which topic. Patterns are matched once for each topic, not for each message, so that a message costs
 * its matches and not the number of patterns.
 */
export class Audience<T extends Filtered> {
  readonly #named = new Map<string, Set<T>>();
  readonly #open = new Set<T>();
  readonly #matching = new Map<string, Set<T>>();
  readonly #nobody = new Set<T>();

  /** Adds a listener. */
  add(listener: T): void {
    const { filter } = listener;
    if (!filter.isOpen) {
      for (const topic of filter.topics) this.#namedOf(topic).add(listener);
      return;
    }
    this.#open.add(listener);
    for (const [topic, listeners] of this.#matching) {
      if (filter.matches(topic)) listeners.add(listener);
    }
  }

  /** Removes a listener; one that is not there is ignored. */
  remove(listener: T): void {
    for (const topic of listener.filter.topics) {
      const listeners = this.#named.get(topic);
      listeners?.delete(listener);
      if (listeners?.size === 0) this.#named.delete(topic);
    }
    if (!this.#open.delete(listener)) return;
    for (const listeners of this.#matching.values()) listeners.delete(listener);
  }

  /** Whether anybody listens to a topic. */
  has(topic: string): boolean {
    return (this.#named.get(topic)?.size ?? 0) > 0 || this.#matchingOf(topic).size > 0;
  }

  /** Calls `tell` for each listener of a topic; it may remove listeners. */
  forEach(topic: string, tell: (listener: T) => void): void {
    this.#named.get(topic)?.forEach(tell);
    this.#matchingOf(topic).forEach(tell);
  }

  /** Everybody, whatever they listen to. */
  all(): Set<T> {
    const all = new Set(this.#open);
    for (const listeners of this.#named.values()) listeners.forEach((one) => all.add(one));
    return all;
  }

  #namedOf(topic: string): Set<T> {
    let listeners = this.#named.get(topic);
    if (listeners === undefined) this.#named.set(topic, listeners = new Set());
    return listeners;
  }

  #matchingOf(topic: string): Set<T> {
    if (this.#open.size === 0) return this.#nobody;
    let listeners = this.#matching.get(topic);
    if (listeners !== undefined) return listeners;
    listeners = new Set([...this.#open].filter(({ filter }) => filter.matches(topic)));
    if (this.#matching.size >= REMEMBERED) this.#matching.clear();
    this.#matching.set(topic, listeners);
    return listeners;
  }
}
