import type { Logger } from "../log.ts";
import type { PartitionStore } from "../redis/store.ts";
import { TRIM_STEP } from "../redis/topic_store.ts";
import type { GroupIndex } from "./group_index.ts";
import { pause } from "./wait.ts";

/** Options of {@link Sweeper}. */
export interface SweeperOptions {
  readonly store: PartitionStore;
  readonly log: Logger;
  readonly processId: string;
  /** Shows topics to the pattern groups before they are trimmed. */
  readonly index: GroupIndex;
  /** Between sweeps, in milliseconds. @default 60000 */
  readonly intervalMs?: number;
}

/** Topics trimmed in one call. */
const TOPICS_A_CALL = 100;

/**
 * Applies retention to topics that nobody publishes to, one process at a time; publishing trims its own topic.
 */
export class Sweeper implements AsyncDisposable {
  readonly #options: Required<SweeperOptions>;
  readonly #stop = new AbortController();
  #work: Promise<void> | undefined;

  constructor(options: SweeperOptions) {
    this.#options = { intervalMs: 60_000, ...options };
  }

  /** Begins to sweep; calls after the first do nothing. */
  start(): void {
    this.#work ??= this.#run();
  }

  /** Sweeps all topics once, whoever's turn it is; resolves with how many messages went. */
  async sweep(): Promise<number> {
    const { store } = this.#options;
    let removed = 0;
    let after: string | undefined;
    while (!this.#stop.signal.aborted) {
      const some = await store.topics.list({
        count: TOPICS_A_CALL,
        ...(after === undefined ? {} : { after }),
      });
      after = some.at(-1)?.topic;
      if (after === undefined) break;
      removed += await this.#trim(some.map(({ topic }) => topic));
    }
    return removed;
  }

  /** Stops; resolves when nothing is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #trim(topics: readonly string[]): Promise<number> {
    const { store, index } = this.#options;
    let removed = 0;
    while (!this.#stop.signal.aborted) {
      const step = await index.adopting(() => store.topics.sweep(topics));
      removed += step;
      if (step < TRIM_STEP) break;
    }
    return removed;
  }

  async #run(): Promise<void> {
    const { store, processId, intervalMs, log } = this.#options;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(intervalMs * (0.9 + Math.random() / 5), signal);
      if (signal.aborted) return;
      try {
        if (!await store.topics.takeSweep(processId, intervalMs / 2)) continue;
        const removed = await this.sweep();
        if (removed > 0) log.info("retention swept", { removed });
      } catch (error) {
        log.debug("retention could not sweep", { error });
      }
    }
  }
}
