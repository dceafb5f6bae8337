/** A store that does what the test says, for time and failures that no Redis commits on demand. */
import { formatId } from "../../lib/codec/id.ts";
import { type FailureOutcome, RedisFailure } from "../../lib/redis/failure.ts";
import type { Commit, CommitReply } from "../../lib/redis/store.ts";
import type { ErrorCode } from "../../lib/errors.ts";

/** What becomes of one call: a failure, or whatever the function resolves with. */
export type Step = RedisFailure | ((commit: Commit) => Promise<CommitReply> | CommitReply);

/** Keeps what it was called with, and stores nothing. */
export class ScriptedStore {
  /** Every call, in order. */
  readonly commits: Commit[] = [];
  /** How often the lane was reset. */
  resets = 0;
  /** What the next calls do; where nothing is left they succeed. */
  readonly steps: Step[] = [];
  #ms = 0;

  async commit(commit: Commit): Promise<CommitReply> {
    this.commits.push(commit);
    const step = this.steps.shift() ?? ((one) => this.reply(one));
    if (step instanceof RedisFailure) throw step;
    return await step(commit);
  }

  resetLane(): void {
    this.resets++;
  }

  /** What a store answers that stored everything. */
  reply(commit: Commit): CommitReply {
    const ms = ++this.#ms;
    let seq = 65_536;
    const firsts = commit.topics.map(({ messages }) => {
      const first = formatId({ ms, seq });
      seq += messages.length;
      return first;
    });
    return { generation: 1, clock: formatId({ ms, seq: seq - 1 }), firsts, special: [] };
  }

  /** How many messages each call had. */
  get sizes(): number[] {
    return this.commits.map(({ topics }) =>
      topics.reduce((sum, { messages }) => sum + messages.length, 0)
    );
  }
}

/** A failure as the store's connection reports it. */
export function failure(code: ErrorCode, outcome: FailureOutcome): RedisFailure {
  return new RedisFailure(code, `${code} ${outcome}`, { outcome });
}
