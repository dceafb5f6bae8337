import { setTimeout as pause } from "node:timers/promises";
import type { Api } from "../api.ts";
import { CliError } from "../cli_error.ts";
import { StatsFeed } from "./stats_feed.ts";
import type { TopView } from "./top_page.ts";
import { type TopicDetail, TopicPoll } from "./topic_poll.ts";
import { TopicTable, type TopOrder } from "./topic_table.ts";

/** Options of {@link TopMonitor}. */
export interface TopMonitorOptions {
  readonly api: Api;
  readonly prefix: string | undefined;
  readonly order: TopOrder;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
}

/** Some rows of the table. */
export interface RowRange {
  readonly from: number;
  readonly count: number;
}

/** Most topics that are looked at closely each time. */
const CLOSELY_AT_MOST = 100;

/** Looks at a server again and again, and knows what was seen. */
export class TopMonitor implements AsyncDisposable {
  /** What the rows are ordered by. */
  order: TopOrder;
  readonly #options: TopMonitorOptions;
  readonly #end = new AbortController();
  readonly #ended: AbortSignal;
  readonly #table: TopicTable;
  readonly #poll: TopicPoll;
  #stats: StatsFeed | undefined;
  #details: ReadonlyMap<string, TopicDetail> = new Map();
  #from = 0;
  #looked = 0;
  #trouble: { readonly reason: string; readonly since: number } | undefined;

  constructor(options: TopMonitorOptions) {
    const { api, prefix, order, intervalMs } = options;
    this.#options = options;
    const signal = this.#ended = AbortSignal.any([options.signal, this.#end.signal]);
    this.order = order;
    this.#table = new TopicTable(intervalMs / 2);
    this.#poll = new TopicPoll({ api, table: this.#table, prefix, signal });
  }

  /** The first row in sight. */
  get from(): number {
    return Math.max(Math.min(this.#from, this.#table.size - 1), 0);
  }

  /** Moves by so many rows, to the first or the last at the most. */
  scroll(rows: number): void {
    this.#from = Math.max(Math.min(this.from + rows, this.#table.size - 1), 0);
  }

  /**
   * Looks once, at the rows in sight closely.
   *
   * @throws {CliError} where the server cannot be reached, or refuses.
   */
  async look({ from, count }: RowRange): Promise<void> {
    const { api } = this.#options;
    this.#looked = await this.#poll.look();
    const rows = this.#table.rows(this.order, { from, count: Math.min(count, CLOSELY_AT_MOST) });
    this.#details = await this.#poll.describe(rows.map(({ topic }) => topic));
    this.#stats ??= new StatsFeed(api, this.#ended);
  }

  /**
   * Looks at every interval until {@link end}, or the signal aborts. A server that is away is waited for.
   *
   * @param options.sight Which rows are in sight.
   * @param options.onLook Called after every look, also after one that failed.
   * @throws {CliError} where the server refuses for good.
   */
  async run({ sight, onLook }: {
    readonly sight: () => RowRange;
    readonly onLook: () => void;
  }): Promise<void> {
    const { intervalMs } = this.#options;
    const ended = this.#ended;
    for (let due = performance.now() + intervalMs; !ended.aborted; due += intervalMs) {
      // a look that took longer than an interval is not made up for
      due = Math.max(due, performance.now());
      await pause(due - performance.now(), undefined, { signal: ended }).catch(() => {});
      if (ended.aborted) return;
      try {
        await this.look(sight());
        this.#trouble = undefined;
      } catch (error) {
        if (ended.aborted) return;
        this.#note(error);
      }
      if (!ended.aborted) onLook();
    }
  }

  /** What is known now, with these rows in sight. */
  view({ from, count }: RowRange): TopView {
    const { api, intervalMs } = this.#options;
    const now = performance.now();
    return {
      server: api.base,
      order: this.order,
      intervalMs,
      rows: this.#table.rows(this.order, { from, count }),
      details: this.#details,
      above: from,
      topics: {
        known: this.#table.size,
        busy: this.#table.busy,
        looked: this.#looked,
        complete: this.#poll.complete,
        missing: this.#poll.missing,
        oldestMs: this.#table.oldest(now),
      },
      in: this.#table.rate,
      stats: this.#stats?.latest,
      trouble: this.#trouble === undefined
        ? undefined
        : { reason: this.#trouble.reason, forMs: now - this.#trouble.since },
    };
  }

  /** Ends it, also where an answer is waited for. */
  end(): void {
    this.#end.abort();
  }

  /** Ends it, and waits for what goes on beside the looks. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end();
    await this.#stats?.ended;
  }

  #note(error: unknown): void {
    if (!(error instanceof CliError)) throw error;
    const status = error.refusal?.status ?? 503;
    if (status < 500 && status !== 429) throw error;
    this.#trouble = { reason: error.message, since: this.#trouble?.since ?? performance.now() };
  }
}
