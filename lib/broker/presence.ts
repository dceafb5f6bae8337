import type { Logger } from "../log.ts";
import type { PartitionStore } from "../redis/store.ts";
import { TopicFilter } from "./topic_filter.ts";
import { pause } from "./wait.ts";

/** Options of {@link Presence}. */
export interface PresenceOptions {
  readonly store: PartitionStore;
  readonly log: Logger;
  readonly processId: string;
  /** Between reports, in milliseconds; one that is three times as old counts no more. @default 4000 */
  readonly intervalMs?: number;
}

/**
 * How many subscriptions are open on a topic, over all processes: each writes down its own now and then. A process that
 * dies is counted until its last report is too old.
 */
export class Presence implements AsyncDisposable {
  readonly #options: Required<PresenceOptions>;
  readonly #stop = new AbortController();
  readonly #topics = new Map<string, number>();
  readonly #patterns = new Map<string, number>();
  #dirty = false;
  #work: Promise<void> | undefined;

  constructor(options: PresenceOptions) {
    this.#options = { intervalMs: 4_000, ...options };
  }

  /** Counts an open subscription until the returned function is called. */
  add(filter: TopicFilter): () => void {
    this.#count(filter, 1);
    this.#work ??= this.#report();
    return () => this.#count(filter, -1);
  }

  /**
   * How many subscriptions a topic has, as of the last reports.
   *
   * @throws RedisFailure
   */
  async of(topic: string): Promise<number> {
    let sum = 0;
    for (const { named, patterns } of await this.#options.store.subscribers.of(topic)) {
      sum += named;
      for (const [names, count] of Object.entries(patterns)) {
        if (new TopicFilter(names.split(",")).matches(topic)) sum += count;
      }
    }
    return sum;
  }

  /** Takes back what was reported. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  #count(filter: TopicFilter, by: 1 | -1): void {
    const add = (counts: Map<string, number>, name: string) => {
      const count = (counts.get(name) ?? 0) + by;
      if (count > 0) counts.set(name, count);
      else counts.delete(name);
    };
    // whole, since a subscription may want a topic in several ways and is still one
    if (filter.isOpen) add(this.#patterns, filter.key);
    else for (const topic of filter.topics) add(this.#topics, topic);
    this.#dirty = true;
  }

  async #report(): Promise<void> {
    const { store, processId, intervalMs, log } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const counts = this.#dirty ? { topics: this.#topics, patterns: this.#patterns } : undefined;
      this.#dirty = false;
      try {
        const known = await store.subscribers.report(processId, { counts, keepMs: intervalMs * 3 });
        if (!known) this.#dirty = true;
      } catch (error) {
        this.#dirty = true;
        log.debug("presence could not be reported", { error });
      }
      await pause(intervalMs, signal);
    }
    await store.subscribers.report(processId, { counts: undefined, keepMs: 0 }).catch(() => {});
  }
}
