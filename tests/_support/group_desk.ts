/** Groups of a partition, driven below the broker. */
import assert from "node:assert/strict";
import type {
  GroupName,
  PullOp,
  PullResult,
  SettleOp,
  WorkOp,
  WorkResult,
} from "../../lib/redis/group.ts";
import type { Partition } from "./partition.ts";

/** A group of a partition, driven on a lane of its own. */
export class Desk {
  readonly lane = crypto.randomUUID();
  number = 0;

  constructor(readonly partition: Partition, readonly name: GroupName) {}

  async pull(changes: Partial<PullOp> = {}): Promise<PullResult> {
    const [result] = await this.work(this.op(changes));
    return result?.kind === "pull" ? result : assert.fail("no pull");
  }

  op(changes: Partial<PullOp> = {}): PullOp {
    const { name } = this;
    return {
      kind: "pull",
      name,
      consumer: "",
      max: 100,
      leaseMs: 30_000,
      since: "earliest",
      ...changes,
    };
  }

  async settle(
    kind: SettleOp["kind"],
    ids: readonly string[],
    changes: Partial<SettleOp> = {},
  ): Promise<{ done: number; unknown: readonly string[] }> {
    const [result] = await this.work(this.settling(kind, ids, changes));
    if (result?.kind !== "settle") assert.fail("no settlement");
    return { done: result.done, unknown: result.unknown };
  }

  /** Does several in one call. */
  work(...ops: WorkOp[]): Promise<readonly WorkResult[]> {
    return this.partition.store.groups.work({ lane: this.lane, number: ++this.number, ops });
  }

  /** An operation for {@link work}. */
  settling(
    kind: SettleOp["kind"],
    ids: readonly string[],
    changes: Partial<SettleOp> = {},
  ): SettleOp {
    return { kind, name: this.name, ids, ...changes };
  }

  async info() {
    const topic = this.name.sub;
    const all = await this.partition.store.groups.describe(topic);
    return all.find(({ group }) => group === this.name.group);
  }
}

/** A desk of a group that consumes `sub`. */
export const desk = (partition: Partition, sub = "jobs", group = "g") =>
  new Desk(partition, { sub, group });

/** The ids of what a pull gave. */
export const idsOf = (result: PullResult) => result.messages.map(({ message }) => message.id ?? "");

/** What each operation gave: ids, or how many were done. */
export const gaveOf = (results: readonly WorkResult[]) =>
  results.map((one) => one.kind === "pull" ? idsOf(one) : one.done);
