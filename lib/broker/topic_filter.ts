import { isPattern, TopicPattern } from "../codec/topic_pattern.ts";

const FEW = 8;

/** What a subscription wants: topics by name, and topics by pattern. */
export class TopicFilter {
  /** The topics named, without duplicates. */
  readonly topics: readonly string[];
  readonly patterns: readonly TopicPattern[];
  /** Equal for filters that match the same. */
  readonly key: string;
  /** Undefined where there are so few that to look at each is as good: there is one for each idle subscriber. */
  readonly #names: ReadonlySet<string> | undefined;

  constructor(names: Iterable<string>) {
    const all = [...new Set(names)].sort();
    this.topics = all.filter((name) => !isPattern(name));
    this.patterns = all.filter(isPattern).map((name) => new TopicPattern(name));
    this.#names = this.topics.length > FEW ? new Set(this.topics) : undefined;
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
    const isNamed = this.#names?.has(topic) ?? this.topics.includes(topic);
    return isNamed || this.patterns.some((pattern) => pattern.matches(topic));
  }
}
