import { type Closed, shuttingDown } from "./closed.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { Metrics } from "../metrics/metrics.ts";
import { RedisFailure, toRedisFailure } from "../redis/failure.ts";
import type { Commit, CommitReply } from "../redis/store.ts";
import {
  byTopic,
  COMMIT_BYTES,
  COMMIT_MESSAGES,
  type Outcome,
  outcomesOf,
  sizeOf,
  split,
} from "./commit_plan.ts";
import type { GroupIndex } from "./group_index.ts";
import { WriteLane } from "./lane.ts";
import type { PreparedMessage } from "./publish_input.ts";
import { nextTurn, turnOfClients } from "./wait.ts";

/** Where a {@link Committer} stores. */
export interface CommitTarget {
  /** Stores a commit; `deadline` is when its publishers must have an answer, in `performance.now()` milliseconds. */
  commit(commit: Commit, options: { readonly deadline: number }): Promise<CommitReply>;
  /** Drops the link that commits go by. */
  resetLane(): void;
}

/** Options of {@link Committer}. */
export interface CommitterOptions {
  readonly store: CommitTarget;
  readonly log: Logger;
  /** Shows topics to the pattern groups where a commit needs it. */
  readonly index: GroupIndex;
  /** How long a publish may take in all, in milliseconds. @default 1800 */
  readonly patienceMs?: number;
  /** What is counted of its work. @default metrics of its own */
  readonly metrics?: Metrics;
  /** Why nothing new is taken after the end. @default `shutting_down` */
  readonly closed?: Closed;
}

/** Most messages of an atomic batch, which is one call whatever its size. */
export const ATOMIC_MESSAGES = 1_000;
/** Most that may wait. */
const QUEUE_MESSAGES = 50_000;
const QUEUE_BYTES = 64 << 20;
/** What has less time left than this is refused rather than sent: its answer would come too late to be known. */
const LEAST_MS = 300;

interface Unit {
  readonly messages: readonly PreparedMessage[];
  readonly bytes: number;
  readonly atomic: boolean;
  /** When its publisher must have an answer, in `performance.now()` milliseconds. */
  readonly deadline: number;
  readonly settle: (outcomes: readonly Outcome[]) => void;
}

/**
 * Stores messages by group commit: whoever publishes in one turn of the event loop, while a call is under way or just
 * after it, goes in one call. Without load a message waits for nobody; under load one call carries hundreds. The turns
 * are worth waiting for: what is in the sockets joins, and each call fewer is a frame fewer to give to every subscriber.
 *
 * There is one call at a time, numbered, so that it can be sent again when its reply was lost and is still done once.
 */
export class Committer implements AsyncDisposable {
  readonly #options: Required<CommitterOptions>;
  readonly #lane: WriteLane;
  #queue: Unit[] = [];
  #waiting = { messages: 0, bytes: 0 };
  #work: Promise<void> | undefined;
  #closed = false;

  constructor(options: CommitterOptions) {
    this.#options = { patienceMs: 1_800, closed: shuttingDown, metrics: new Metrics(), ...options };
    const { retries } = this.#options.metrics;
    this.#lane = new WriteLane({
      onRetry: () => retries.commit++,
      reset: () => options.store.resetLane(),
      unknown:
        "Redis was lost before it answered: publish again with the same idempotency key, and it is stored once",
    });
  }

  /**
   * Stores messages, in order, and resolves with what became of each. Never rejects.
   *
   * @param options.atomic all of them or none; they go in one call, {@link ATOMIC_MESSAGES} at the most
   */
  store(
    messages: readonly PreparedMessage[],
    options: { atomic?: boolean } = {},
  ): Promise<readonly Outcome[]> {
    const { atomic = false } = options;
    if (messages.length === 0) return Promise.resolve([]);
    if (this.#closed) return Promise.resolve(refuse(messages, this.#options.closed()));
    const stored = atomic || messages.length === 1
      ? this.#enqueue(messages, atomic)
      : this.#enqueueParts(split(messages));
    this.#work ??= this.#commitAll();
    return stored;
  }

  /** Waits until everything under way is answered; nothing new is taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#work;
  }

  async #enqueueParts(
    parts: readonly (readonly PreparedMessage[])[],
  ): Promise<readonly Outcome[]> {
    const outcomes = await Promise.all(parts.map((part) => this.#enqueue(part, false)));
    return outcomes.flat();
  }

  #enqueue(messages: readonly PreparedMessage[], atomic: boolean): Promise<readonly Outcome[]> {
    const bytes = messages.reduce((sum, message) => sum + sizeOf(message), 0);
    const full = this.#waiting.messages + messages.length > QUEUE_MESSAGES ||
      this.#waiting.bytes + bytes > QUEUE_BYTES;
    if (full && this.#queue.length > 0) {
      return Promise.resolve(refuse(messages, new RunnelError("overloaded")));
    }
    this.#waiting.messages += messages.length;
    this.#waiting.bytes += bytes;
    const deadline = performance.now() + this.#options.patienceMs;
    return new Promise((settle) => this.#queue.push({ messages, bytes, atomic, deadline, settle }));
  }

  async #commitAll(): Promise<void> {
    // whoever publishes in this turn joins the call
    await nextTurn();
    for (let call = this.#call(); call !== undefined;) {
      const outcomes = await call.outcomes;
      // what fills a call waits for nobody: Redis works at it while those of the last are answered
      const full = this.#fillsCall() ? this.#call() : undefined;
      settle(call.units, outcomes);
      if (full === undefined) await turnOfClients();
      call = full ?? this.#call();
    }
    this.#work = undefined;
  }

  #fillsCall(): boolean {
    const { messages, bytes } = this.#waiting;
    return messages >= COMMIT_MESSAGES || bytes >= COMMIT_BYTES;
  }

  /** Begins a call with what waits; undefined where nothing does. */
  #call(): { units: readonly Unit[]; outcomes: Promise<readonly Outcome[]> } | undefined {
    const units = this.#take();
    return units.length === 0 ? undefined : { units, outcomes: this.#commit(units) };
  }

  #take(): Unit[] {
    this.#refuseLate();
    const units: Unit[] = [];
    let messages = 0, bytes = 0;
    for (const unit of this.#queue) {
      const fits = messages + unit.messages.length <= COMMIT_MESSAGES &&
        bytes + unit.bytes <= COMMIT_BYTES;
      if (units.length > 0 && (!fits || unit.atomic)) break;
      units.push(unit);
      messages += unit.messages.length;
      bytes += unit.bytes;
      if (unit.atomic) break;
    }
    this.#unqueue(units);
    return units;
  }

  #refuseLate(): void {
    const { patienceMs } = this.#options;
    const soon = performance.now() + Math.min(LEAST_MS, patienceMs / 4);
    const inTime = this.#queue.findIndex(({ deadline }) => deadline > soon);
    const late = this.#queue.slice(0, inTime < 0 ? this.#queue.length : inTime);
    this.#unqueue(late);
    for (const unit of late) unit.settle(refuse(unit.messages, new RunnelError("overloaded")));
  }

  /** Takes the first units out of the queue. */
  #unqueue(units: readonly Unit[]): void {
    this.#queue.splice(0, units.length);
    for (const { messages, bytes } of units) {
      this.#waiting.messages -= messages.length;
      this.#waiting.bytes -= bytes;
    }
  }

  /** Stores the messages of one call. Never rejects. */
  async #commit(units: readonly Unit[]): Promise<readonly Outcome[]> {
    const messages = units.flatMap((unit) => unit.messages);
    const topics = byTopic(messages);
    const commit = { atomic: units[0]?.atomic ?? false, topics };
    const deadline = units[0]?.deadline ?? 0;
    const { store, index, metrics: { commits } } = this.#options;
    try {
      const reply = await this.#lane.send(
        (stamp) => index.adopting(() => store.commit({ ...stamp, ...commit }, { deadline })),
        { deadline },
      );
      const outcomes = outcomesOf(reply, { topics, count: messages.length });
      commits.done++;
      commits.messages += messages.length;
      return outcomes;
    } catch (error) {
      const failure = error instanceof RunnelError ? error : toRedisFailure(error, true);
      commits.failed++;
      this.#options.log.warn("commit failed", { code: failure.code, messages: messages.length });
      this.#refuseWaiting(failure);
      return refuse(messages, failure);
    }
  }

  // whoever waited behind a call that found no Redis has waited long enough: none of theirs was sent
  #refuseWaiting(failure: RunnelError): void {
    const lost = failure.code === "outcome_unknown";
    const unsent = failure instanceof RedisFailure && failure.outcome === "unsent";
    if (!lost && !unsent) return;
    const refusal = lost ? new RunnelError("redis_timeout") : failure;
    const waiting = this.#queue;
    this.#queue = [];
    this.#waiting = { messages: 0, bytes: 0 };
    for (const unit of waiting) unit.settle(refuse(unit.messages, refusal));
  }
}

function settle(units: readonly Unit[], outcomes: readonly Outcome[]): void {
  let at = 0;
  for (const unit of units) unit.settle(outcomes.slice(at, at += unit.messages.length));
}

function refuse(messages: readonly PreparedMessage[], error: RunnelError): Outcome[] {
  return messages.map(() => error);
}
