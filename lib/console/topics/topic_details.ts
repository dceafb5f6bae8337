import { type Api, ApiError } from "../api.ts";
import { Store } from "../store.ts";

/** What `GET /topics/{topic}` answers, as far as the list shows it. */
export interface TopicDetail {
  /** Messages kept. */
  readonly messages: number;
  readonly bytes: number;
  readonly subscribers: number;
  readonly groups: readonly {
    readonly group: string;
    readonly lag: number;
    readonly pending: number;
    readonly dead: number;
  }[];
}

interface Kept {
  readonly at: number;
  readonly detail: TopicDetail | undefined;
}

/** Requests at a time: of the six connections of HTTP/1.1 some must be left to streams and publishes. */
const AT_ONCE = 3;
const FRESH_MS = 10_000;
const KEPT = 2_000;

/** What is to be told of the topics that are seen, and of no others: asked for one by one, and kept for some seconds. */
export class TopicDetails {
  /** Rises with each answer. */
  readonly version: Store<number> = new Store(0);
  readonly #api: Api;
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Set<string>();
  #wanted: readonly string[] = [];

  constructor(api: Api) {
    this.#api = api;
  }

  /** What was told last; undefined where nothing was yet, or nothing may be. */
  of(topic: string): TopicDetail | undefined {
    return this.#kept.get(topic)?.detail;
  }

  /** Asks for these where what is known is old, and no longer for others. */
  want(topics: readonly string[]): void {
    this.#wanted = topics;
    this.#ask();
  }

  #ask(): void {
    const now = Date.now();
    for (const topic of this.#wanted) {
      if (this.#asked.size >= AT_ONCE) return;
      if (this.#asked.has(topic)) continue;
      const age = now - (this.#kept.get(topic)?.at ?? -Infinity);
      if (age < FRESH_MS) continue;
      this.#asked.add(topic);
      void this.#load(topic).finally(() => {
        this.#asked.delete(topic);
        this.#ask();
      });
    }
  }

  async #load(topic: string): Promise<void> {
    const detail = await this.#api
      .call<TopicDetail>("GET", `topics/${encodeURIComponent(topic)}`)
      .catch((error: unknown) => {
        // a topic that is gone, or not for whoever looks, has nothing to tell; else what is known is better than nothing
        return error instanceof ApiError && [403, 404].includes(error.status)
          ? undefined
          : this.of(topic);
      });
    this.#kept.delete(topic);
    this.#kept.set(topic, { at: Date.now(), detail });
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.version.value++;
  }
}
