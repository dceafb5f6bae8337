/** A store of groups that does what the test says, for time and failures that no Redis commits on demand. */
import type { PullOp, PullResult, SettleOp, WorkOp, WorkResult } from "../../lib/redis/group.ts";
import { RedisFailure } from "../../lib/redis/failure.ts";
import type { Stamp } from "../../lib/redis/stamp.ts";

/** One call as it came. */
export interface WorkCall extends Stamp {
  readonly ops: readonly WorkOp[];
}

/** What becomes of one call: a failure, or whatever the function resolves with. */
export type WorkStep =
  | RedisFailure
  | ((call: WorkCall) => Promise<readonly WorkResult[]> | readonly WorkResult[]);

/** Keeps what it was called with; pulls find nothing and everything else is done, unless the steps say otherwise. */
export class ScriptedGroups {
  /** Every call, in order. */
  readonly calls: WorkCall[] = [];
  /** How often the lane was reset. */
  resets = 0;
  /** What the next calls do; where nothing is left they succeed. */
  readonly steps: WorkStep[] = [];

  async work(call: WorkCall): Promise<readonly WorkResult[]> {
    this.calls.push(call);
    const step = this.steps.shift() ?? ((one) => one.ops.map(resultOf));
    if (step instanceof RedisFailure) throw step;
    return await step(call);
  }

  /** Makes the next call wait for the returned function. */
  hold(): () => void {
    const gate = Promise.withResolvers<void>();
    this.steps.push(async ({ ops }) => {
      await gate.promise;
      return ops.map(resultOf);
    });
    return gate.resolve;
  }

  /** How many operations each call had. */
  get sizes(): number[] {
    return this.calls.map(({ ops }) => ops.length);
  }
}

/** What an operation comes to where nothing is to be had and everything is known. */
export function resultOf(op: WorkOp): WorkResult {
  return op.kind === "pull" ? nothing() : { kind: "settle", done: op.ids.length, unknown: [] };
}

/** What a pull gives where there is nothing. */
export function nothing(changes: Partial<PullResult> = {}): PullResult {
  return { kind: "pull", messages: [], more: false, created: false, repeated: false, ...changes };
}

/** A pull of so many messages that gives each of its topic `jobs`. */
export function given(count: number, changes: Partial<PullResult> = {}): PullResult {
  const messages = Array.from({ length: count }, (_, i) => ({
    message: { id: `1-${i}`, topic: "jobs", time: 0, body: `{"data":${i}}` },
    deliveries: 1,
  }));
  return nothing({ messages, lease: "7", leaseUntil: 1_000, ...changes });
}

const name = { sub: "jobs", group: "g" };

/** A pull. */
export function pullOp(changes: Partial<PullOp> = {}): PullOp {
  return { kind: "pull", name, consumer: "", max: 1, leaseMs: 1_000, since: "latest", ...changes };
}

/** An ack of so many messages. */
export function ackOp(count = 1, changes: Partial<SettleOp> = {}): SettleOp {
  const ids = Array.from({ length: count }, (_, i) => `1-${i}`);
  return { kind: "ack", name, ids, ...changes };
}
