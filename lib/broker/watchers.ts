import { Audience } from "./audience.ts";
import type { TopicFilter } from "./topic_filter.ts";

/** Wants to know that something happened on topics, not what. All calls are synchronous. */
export interface FeedWatcher {
  readonly filter: TopicFilter;
  /** Messages were stored in a topic; may be told more than once of the same. */
  onActivity(topic: string): void;
  /** Work of a group (its key) may be due from `dueMs` on, in milliseconds since 1970 on Redis's clock. */
  onWake(group: string, dueMs: number): void;
  /** Something may have been missed: the watcher has been removed. */
  onBreak(): void;
}

/** Who watches which topic. */
export class Watchers {
  readonly #audience = new Audience<FeedWatcher>();

  /** Adds a watcher until the returned function is called, or until {@link breakAll}. */
  add(watcher: FeedWatcher): () => void {
    this.#audience.add(watcher);
    return () => this.#audience.remove(watcher);
  }

  /** Tells those of a topic that it got messages. */
  stir(topic: string): void {
    this.#audience.forEach(topic, (watcher) => watcher.onActivity(topic));
  }

  /** Tells those of a group's topic or pattern, which matches itself, that work may be due. */
  wake(group: string, dueMs: number): void {
    const sub = group.slice(0, group.lastIndexOf("|"));
    this.#audience.forEach(sub, (watcher) => watcher.onWake(group, dueMs));
  }

  /** Removes everybody and tells them. */
  breakAll(): void {
    const watchers = this.#audience.all();
    for (const watcher of watchers) this.#audience.remove(watcher);
    for (const watcher of watchers) watcher.onBreak();
  }
}
