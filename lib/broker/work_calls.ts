import { type Closed, shuttingDown } from "./closed.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import { RedisFailure, toRedisFailure } from "../redis/failure.ts";
import type {
  PullOp,
  PullResult,
  SettleOp,
  SettleResult,
  WorkOp,
  WorkResult,
} from "../redis/group.ts";
import type { GroupStore } from "../redis/group_store.ts";
import { WriteLane } from "./lane.ts";
import { nextTurn, turnOfClients } from "./wait.ts";

/** Options of {@link WorkCalls}. */
export interface WorkCallsOptions {
  readonly store: Pick<GroupStore, "work">;
  /** Drops the lane's link; see {@link WriteLane}. */
  readonly reset: () => void;
  readonly log: Logger;
  /** How long a pull or an ack may take in all, in milliseconds. @default 1800 */
  readonly patienceMs?: number;
  /** What is counted of its work. @default nothing */
  readonly metrics?: Metrics;
  /** Why nothing new is taken after the end. @default `shutting_down` */
  readonly closed?: Closed;
}

/** What one call carries at the most: more would block Redis for too long. */
const CALL = { ops: 200, ids: 5_000, messages: 1_000 };
/** Most that may wait. */
const QUEUE = { ops: 10_000, ids: 200_000 };
/** What has less time left than this is refused rather than sent: its answer would come too late to be known. */
const LEAST_MS = 300;

interface Unit {
  readonly op: WorkOp;
  /** When whoever asked must have an answer, in `performance.now()` milliseconds. */
  readonly deadline: number;
  readonly settle: (result: WorkResult | RunnelError) => void;
}

/**
 * Pulls, acks, nacks and extensions of this process, joined into calls as publishes are: while one is under way, whoever
 * comes joins the next. There is one at a time, numbered, so that it can be sent again when its reply was lost and is
 * still done once.
 */
export class WorkCalls implements AsyncDisposable {
  readonly #options: Required<Omit<WorkCallsOptions, "metrics">>;
  readonly #lane: WriteLane;
  #queue: Unit[] = [];
  #waitingIds = 0;
  #work: Promise<void> | undefined;
  #closed = false;

  constructor(options: WorkCallsOptions) {
    this.#options = { patienceMs: 1_800, closed: shuttingDown, ...options };
    const { metrics } = options;
    this.#lane = new WriteLane({
      ...(metrics === undefined ? {} : { onRetry: () => metrics.retries.work++ }),
      reset: options.reset,
      unknown: "Redis was lost before it answered: repeat a pull with the same attempt, " +
        "an ack as it was; what was leased and not told comes back when its lease runs out",
    });
  }

  /**
   * Leases messages to a consumer.
   *
   * @throws RunnelError why not, or `outcome_unknown`
   */
  async pull(op: PullOp): Promise<PullResult> {
    const result = await this.#do(op);
    if (result.kind === "pull") return result;
    throw new RunnelError("internal");
  }

  /**
   * Acknowledges messages, gives them back or keeps them for longer.
   *
   * @throws RunnelError why not, or `outcome_unknown`
   */
  async settle(op: SettleOp): Promise<SettleResult> {
    const result = await this.#do(op);
    if (result.kind === "settle") return result;
    throw new RunnelError("internal");
  }

  /** Waits until everything under way is answered; nothing new is taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#work;
  }

  async #do(op: WorkOp): Promise<WorkResult> {
    if (this.#closed) throw this.#options.closed();
    const full = this.#queue.length >= QUEUE.ops || this.#waitingIds + idsOf(op) > QUEUE.ids;
    if (full && this.#queue.length > 0) throw new RunnelError("overloaded");
    this.#waitingIds += idsOf(op);
    const deadline = performance.now() + this.#options.patienceMs;
    const answered = new Promise<WorkResult | RunnelError>((settle) =>
      this.#queue.push({ op, deadline, settle })
    );
    this.#work ??= this.#callAll();
    const result = await answered;
    if (result instanceof RunnelError) throw result;
    return result;
  }

  async #callAll(): Promise<void> {
    // whoever comes in this turn joins the first call
    await nextTurn();
    for (let units = this.#take(); units.length > 0; units = this.#take()) {
      await this.#call(units);
      await turnOfClients();
    }
    this.#work = undefined;
  }

  #take(): Unit[] {
    this.#refuseLate();
    let taken = 0, ids = 0, messages = 0;
    for (const { op } of this.#queue) {
      ids += idsOf(op);
      messages += op.kind === "pull" ? op.max : 0;
      const fits = taken < CALL.ops && ids <= CALL.ids && messages <= CALL.messages;
      if (taken > 0 && !fits) break;
      taken++;
    }
    return this.#unqueue(taken);
  }

  #refuseLate(): void {
    const { patienceMs } = this.#options;
    const soon = performance.now() + Math.min(LEAST_MS, patienceMs / 4);
    const inTime = this.#queue.findIndex(({ deadline }) => deadline > soon);
    const late = this.#unqueue(inTime < 0 ? this.#queue.length : inTime);
    for (const { settle } of late) settle(new RunnelError("overloaded"));
  }

  /** Takes the first units out of the queue. */
  #unqueue(count: number): Unit[] {
    const units = this.#queue.splice(0, count);
    for (const { op } of units) this.#waitingIds -= idsOf(op);
    return units;
  }

  async #call(units: readonly Unit[]): Promise<void> {
    const { store, log } = this.#options;
    const ops = units.map(({ op }) => op);
    const deadline = units[0]?.deadline ?? 0;
    try {
      const results = await this.#lane.send((stamp) => store.work({ ...stamp, ops }), { deadline });
      for (const [i, { settle }] of units.entries()) {
        settle(results[i] ?? new RunnelError("internal"));
      }
    } catch (error) {
      const failure = error instanceof RunnelError ? error : toRedisFailure(error, true);
      log.warn("pulls and acks failed", { code: failure.code, ops: ops.length });
      for (const { settle } of units) settle(failure);
      this.#refuseWaiting(failure);
    }
  }

  // whoever waited behind a call that found no Redis has waited long enough: none of theirs was sent
  #refuseWaiting(failure: RunnelError): void {
    const lost = failure.code === "outcome_unknown";
    const unsent = failure instanceof RedisFailure && failure.outcome === "unsent";
    if (!lost && !unsent) return;
    const refusal = lost ? new RunnelError("redis_timeout") : failure;
    for (const { settle } of this.#unqueue(this.#queue.length)) settle(refusal);
  }
}

function idsOf(op: WorkOp): number {
  return op.kind === "pull" ? 0 : op.ids.length;
}
