import { isPattern, TopicPattern } from "../codec/topic_pattern.ts";

/** What a subscription wants: topics by name, and topics by pattern. */
export class TopicFilter {
  /** The topics named, without duplicates. */
  readonly topics: readonly string[];
  readonly patterns: readonly TopicPattern[];
  /** Equal for filters that match the same. */
  readonly key: string;
  readonly #names: ReadonlySet<string>;

  constructor(names: Iterable<string>) {
    const all = [...new Set(names)].sort();
    this.topics = all.filter((name) => !isPattern(name));
    this.patterns = all.filter(isPattern).map((name) => new TopicPattern(name));
    this.#names = new Set(this.topics);
    this.key = all.join(",");
  }

  /** Whether there is any pattern, so that topics that come later can match. */
  get isOpen(): boolean {
    return this.patterns.length > 0;
  }

  /** A filter of some of its names; itself where that is all of them. */
  only(names: readonly string[]): TopicFilter {
    return names.length === this.topics.length + this.patterns.length
      ? this
      : new TopicFilter(names);
  }

  /** Whether a topic matches. */
  matches(topic: string): boolean {
    return this.#names.has(topic) || this.patterns.some((pattern) => pattern.matches(topic));
  }
}
