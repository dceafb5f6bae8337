import { RunnelError } from "../errors.ts";
import { RedisFailure } from "../redis/failure.ts";
import type { PullResult } from "../redis/group.ts";
import type { GroupPlace, GroupSpan, SpanPullOp } from "./group_span.ts";
import { giveBack, refusalOf } from "./group_span.ts";
import { OVER } from "./wait.ts";

/** How a pull waits. */
export interface PullOptions {
  /** How long to wait for the first message, in milliseconds. */
  readonly waitMs: number;
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal;
}

/** What a {@link Puller} works with. */
export interface PullerOptions {
  readonly span: GroupSpan;
  /** Aborts when the process is about to end. */
  readonly draining: AbortSignal;
}

/** Pulls for clients that wait for the answer and may leave before they have it. */
export class Puller {
  readonly #options: PullerOptions;

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  /**
   * Pulls, and gives back at once what was leased for a client that has gone meanwhile; but not of a pull with an
   * attempt, whose client comes back for it.
   *
   * @throws RunnelError why not, `outcome_unknown` where it may have leased some, `stale_attempt`, or `client_closed`
   */
  async once(op: SpanPullOp, signal: AbortSignal): Promise<PullResult> {
    if (signal.aborted) throw new RunnelError("client_closed");
    const { span } = this.#options;
    const result = await span.pull(op);
    if (result.problem !== undefined) throw refusalOf(result.problem);
    if (!signal.aborted) return result;
    if (op.attempt === undefined) await giveBack(span, op.name, result);
    throw new RunnelError("client_closed");
  }

  /**
   * Waits in the group's line and pulls again when it may have something, until there is an answer, time is up, or the
   * process is about to end; where `first` is an answer already, not at all.
   *
   * @throws as {@link once}
   */
  async wait(
    op: SpanPullOp,
    first: PullResult,
    { waitMs, signal }: PullOptions,
  ): Promise<PullResult> {
    if (waitMs === 0 || isAnswer(first)) return first;
    const over = new AbortController();
    const stop = () => over.abort(OVER);
    const timer = setTimeout(stop, waitMs);
    const ends = [signal, this.#options.draining];
    for (const end of ends) end.addEventListener("abort", stop, { once: true });
    if (ends.some(({ aborted }) => aborted)) stop();
    const place = this.#options.span.enter(op.name);
    try {
      return await this.#takeTurns(op, first, { place, signal, over: over.signal });
    } catch (error) {
      if (isLoss(error)) place.lost();
      throw error;
    } finally {
      clearTimeout(timer);
      for (const end of ends) end.removeEventListener("abort", stop);
      place.leave();
    }
  }

  async #takeTurns(
    op: SpanPullOp,
    first: PullResult,
    { place, signal, over }: { place: GroupPlace; signal: AbortSignal; over: AbortSignal },
  ): Promise<PullResult> {
    let result = first;
    for (;;) {
      await place.turn({ nextDue: result.nextDue }, over);
      if (signal.aborted) throw new RunnelError("client_closed");
      if (over.aborted) return result;
      result = await this.once(op, signal);
      if (!isAnswer(result)) continue;
      place.found(result);
      return result;
    }
  }
}

function isLoss(error: unknown): boolean {
  return error instanceof RedisFailure ||
    (error instanceof RunnelError && error.code === "outcome_unknown");
}

// an attempt that is repeated is answered with what its lease still holds, be that nothing
function isAnswer({ messages, repeated }: PullResult): boolean {
  return messages.length > 0 || repeated;
}
