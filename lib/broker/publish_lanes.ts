import type { Closed } from "./closed.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { PartitionStore } from "../redis/store.ts";
import type { Outcome } from "./commit_plan.ts";
import { Committer } from "./committer.ts";
import type { GroupIndex } from "./group_index.ts";
import type { PreparedMessage } from "./publish_input.ts";

/** Options of {@link PublishLanes}. */
export interface PublishLanesOptions {
  readonly store: Pick<
    PartitionStore,
    "commit" | "resetLane" | "commitReplicated" | "resetReplicated"
  >;
  readonly log: Logger;
  /** Shows topics to the pattern groups where a commit needs it. */
  readonly index: GroupIndex;
  /** What is counted of its work. @default nothing */
  readonly metrics?: Metrics;
  /** Why nothing new is taken after the end. @default `shutting_down` */
  readonly closed?: Closed;
}

/** What the answer needs beside the wait for replicas, so that it comes before its publisher's time is up. */
const SPARE_MS = 300;

/**
 * The ways by which messages are stored: one for those that need only be stored, and one for each number of replicas that
 * publishers wait for, so that whoever waits for replicas keeps nobody else waiting.
 */
export class PublishLanes implements AsyncDisposable {
  readonly #options: PublishLanesOptions;
  readonly #stored: Committer;
  readonly #replicated = new Map<number, Committer>();

  constructor(options: PublishLanesOptions) {
    this.#options = options;
    this.#stored = new Committer(options);
  }

  /**
   * Stores messages, in order, and resolves with what became of each. Never rejects. Where some of them wait for replicas
   * all go that way, so that those of a topic keep their order.
   *
   * @param options.atomic all of them or none
   */
  store(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean } = {},
  ): Promise<readonly Outcome[]> {
    const most = messages.reduce((most, { replicas = 0 }) => Math.max(most, replicas), 0);
    return most === 0
      ? this.#stored.store(messages, options)
      : this.#storeReplicated(messages, { ...options, most });
  }

  async #storeReplicated(
    messages: readonly PreparedMessage[],
    { most, ...options }: { most: number; atomic?: boolean },
  ): Promise<readonly Outcome[]> {
    const outcomes = await this.#committerFor(most).store(messages, options);
    return outcomes.map((outcome, i) => replicatedOutcome(outcome, messages[i]?.replicas));
  }

  /** Waits until everything under way is answered; nothing new is taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.#stored, ...this.#replicated.values()];
    await Promise.all(all.map((committer) => committer[Symbol.asyncDispose]()));
  }

  #committerFor(replicas: number): Committer {
    let committer = this.#replicated.get(replicas);
    if (committer === undefined) {
      const { store, ...rest } = this.#options;
      committer = new Committer({
        store: {
          commit: (commit, { deadline }) =>
            store.commitReplicated(commit, { replicas, until: deadline - SPARE_MS }),
          resetLane: () => store.resetReplicated(replicas),
        },
        ...rest,
      });
      this.#replicated.set(replicas, committer);
    }
    return committer;
  }
}

function replicatedOutcome(outcome: Outcome, wanted: number | undefined): Outcome {
  if (outcome instanceof RunnelError || outcome.id === null) return outcome;
  const { replicas = 0, ...plain } = outcome;
  if (wanted === undefined) return plain;
  if (replicas >= wanted) return outcome;
  const detail = `The message is stored, but ${replicas} of ${wanted} replicas have it: ` +
    "publish again with the same idempotency key to wait for them once more";
  return new RunnelError("not_replicated", detail, { members: { id: outcome.id, replicas } });
}
