import { type Api, type ApiRequest, problemOf, segment } from "../api.ts";
import type { TopicCount, TopicTable } from "./topic_table.ts";

/** What is known of a topic that is in sight. */
export interface TopicDetail {
  /** Messages that it keeps. */
  readonly messages: number;
  readonly subscribers: number;
  /** Sums over its groups. */
  readonly lag: number;
  readonly pending: number;
  readonly dead: number;
  readonly groups: number;
}

/** Options of {@link TopicPoll}. */
export interface TopicPollOptions {
  readonly api: Api;
  readonly table: TopicTable;
  readonly prefix: string | undefined;
  readonly signal: AbortSignal;
}

/** Topics of one request, and requests of one look: a look costs the server the same however many topics there are. */
const PAGE = 1_000;
const PAGES = 5;
/** Most topics of one look. */
export const LOOKED_AT_MOST = PAGE * PAGES;
/** Requests for details that are under way at a time. */
const AT_ONCE = 8;
/** How long an answer may take. */
const PATIENCE_MS = 10_000;

/** Asks a server for the counts of its topics, some at a time, and for the details of those in sight. */
export class TopicPoll {
  readonly #options: TopicPollOptions;
  #after: string | undefined;
  /** When the round began that is under way. */
  #begun: number | undefined;
  /** When the last one began that saw every topic: what is new was not there then. */
  #sawAllAt: number | undefined;
  #isComplete = false;
  #isMissing = false;
  #wasMissing = false;

  constructor(options: TopicPollOptions) {
    this.#options = options;
  }

  /** Whether every topic has been looked at. */
  get complete(): boolean {
    return this.#isComplete;
  }

  /** Whether some topics were out of the server's reach. */
  get missing(): boolean {
    return this.#wasMissing || this.#isMissing;
  }

  /**
   * Looks at the next topics, and resolves to how many.
   *
   * @throws {CliError} where the server cannot be reached, or refuses.
   */
  async look(): Promise<number> {
    const { table, prefix } = this.#options;
    let looked = 0;
    for (let page = 0; page < PAGES; page++) {
      const at = performance.now();
      this.#begun ??= at;
      const { topics, next, missing } = await this.#page([
        ["limit", `${PAGE}`],
        ...(prefix === undefined ? [] : [["prefix", prefix] as const]),
        ...(this.#after === undefined ? [] : [["after", this.#after] as const]),
      ]);
      for (const topic of topics) table.look(topic, performance.now(), this.#sawAllAt);
      looked += topics.length;
      this.#isMissing ||= missing === true;
      this.#after = next;
      if (next === undefined) {
        this.#endRound();
        break;
      }
    }
    return looked;
  }

  /** Looks at some topics closely. What is gone by now is forgotten. */
  async describe(topics: readonly string[]): Promise<Map<string, TopicDetail>> {
    const details = new Map<string, TopicDetail>();
    const left = topics.values();
    const work = Array.from({ length: AT_ONCE }, async () => {
      for (const topic of left) {
        const detail = await this.#describe(topic);
        if (detail !== undefined) details.set(topic, detail);
      }
    });
    await Promise.all(work);
    return details;
  }

  #endRound(): void {
    const { table } = this.#options;
    // a partition that is out of reach has not lost its topics
    if (!this.#isMissing && this.#begun !== undefined) table.forgetUnseen(this.#begun);
    this.#sawAllAt = this.#isMissing ? undefined : this.#begun;
    this.#wasMissing = this.#isMissing;
    this.#isMissing = false;
    this.#isComplete = true;
    this.#begun = undefined;
  }

  async #describe(topic: string): Promise<TopicDetail | undefined> {
    const { table } = this.#options;
    const description = await this.#patiently(async (signal) => {
      const response = await this.#options.api.attempt(`topics/${segment(topic)}`, { signal });
      if (response.ok) return await response.json() as Description;
      const problem = await problemOf(response);
      if (response.status !== 404) throw problem;
    });
    if (description === undefined) {
      table.forget(topic);
      return undefined;
    }
    const { count, lastId, messages, subscribers, groups } = description;
    table.look({ topic, count, lastId }, performance.now());
    const sum = (figure: "lag" | "pending" | "dead") =>
      groups.reduce((total, group) => total + group[figure], 0);
    return {
      messages,
      subscribers,
      lag: sum("lag"),
      pending: sum("pending"),
      dead: sum("dead"),
      groups: groups.length,
    };
  }

  #page(query: NonNullable<ApiRequest["query"]>): Promise<TopicPage> {
    return this.#patiently(async (signal) => {
      const response = await this.#options.api.send("topics", { query, signal });
      return await response.json() as TopicPage;
    });
  }

  /** Waits for an answer, but not for ever: a link that is half open brings none. */
  async #patiently<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { api, signal } = this.#options;
    const patience = new AbortController();
    const timer = setTimeout(() => patience.abort(), PATIENCE_MS);
    try {
      return await ask(AbortSignal.any([signal, patience.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (!patience.signal.aborted) throw error;
      throw api.unreachable(new Error(`no answer within ${PATIENCE_MS / 1_000} s`));
    } finally {
      clearTimeout(timer);
    }
  }
}

interface TopicPage {
  readonly topics: readonly TopicCount[];
  readonly next?: string;
  readonly missing?: true;
}

interface Description extends TopicCount {
  readonly messages: number;
  readonly subscribers: number;
  readonly groups: readonly {
    readonly lag: number;
    readonly pending: number;
    readonly dead: number;
  }[];
}
