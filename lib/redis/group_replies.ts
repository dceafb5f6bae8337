import type { StoredMessage } from "../codec/message.ts";
import {
  type GroupInfo,
  groupKey,
  type LeasedMessage,
  type PullResult,
  readGroupKey,
  type SettleResult,
  type WorkOp,
} from "./group.ts";

interface RawPull {
  readonly i: string[];
  readonly d: number[];
  readonly l: string;
  readonly u: number;
  readonly m: 0 | 1;
  readonly n: number;
  readonly c: 0 | 1;
  readonly r: 0 | 1;
  readonly h: number;
  readonly e: "" | "attempt" | "deleting";
}

interface RawSettled {
  readonly k: number;
  readonly x: string[];
}

/** One result as the work script writes it. */
export type RawResult = RawPull | RawSettled;

/** A group as the describe script writes it. */
export interface RawInfo {
  readonly g: string;
  readonly lag: number;
  readonly pending: number;
  readonly dead: number;
  readonly oldest: number;
  readonly max: number;
  readonly consumers: [name: string, leased: number, seen: number][] | Record<string, never>;
}

/** One step as the redrive script writes it. */
export interface RawRedrive {
  readonly n: number;
  readonly at: number;
  readonly to: number;
  readonly more: boolean;
  readonly x: string[];
}

/** An operation as arguments of the work script. */
export function argsOf(op: WorkOp): (string | number)[] {
  const key = groupKey(op.name);
  if (op.kind !== "pull") {
    const ms = op.kind === "extend" ? op.leaseMs ?? 0 : op.delayMs ?? 0;
    return [op.kind, key, op.lease ?? "", ms, op.ids.length, ...op.ids];
  }
  return [
    "pull",
    key,
    op.name.sub,
    op.consumer,
    op.attempt ?? "",
    op.max,
    op.leaseMs,
    op.since,
    op.cap ?? "",
    op.process ?? "",
  ];
}

/** Reads what an ack, nack or extend did. */
export function settled({ k, x }: RawSettled): SettleResult {
  return { kind: "settle", done: k, unknown: x };
}

/** Reads what a pull gave; the copies of its messages come next. */
export function pulled(raw: RawPull, copies: Iterator<string | null>): PullResult {
  const messages: LeasedMessage[] = [];
  for (const [i, id] of raw.i.entries()) {
    const copy = copies.next().value;
    if (typeof copy === "string") {
      messages.push({ message: readCopy(id, copy), deliveries: raw.d[i] ?? 1 });
    }
  }
  return {
    kind: "pull",
    messages,
    more: raw.m === 1,
    created: raw.c === 1,
    repeated: raw.r === 1,
    ...(messages.length === 0 ? {} : { lease: raw.l, leaseUntil: raw.u }),
    ...(raw.n === 0 ? {} : { nextDue: raw.n }),
    ...(raw.h < 0 ? {} : { held: raw.h }),
    ...(raw.e === "" ? {} : { problem: raw.e }),
  };
}

/** Reads a copy, "topic time expires body". */
function readCopy(id: string, copy: string): StoredMessage {
  const first = copy.indexOf(" ");
  const second = copy.indexOf(" ", first + 1);
  const third = copy.indexOf(" ", second + 1);
  return {
    id,
    topic: copy.slice(0, first),
    time: Number(copy.slice(first + 1, second)),
    body: copy.slice(third + 1),
  };
}

/** Reads what is told of a group. */
export function infoOf(raw: RawInfo): GroupInfo {
  // an empty table has no type of its own in Lua
  const consumers = Array.isArray(raw.consumers) ? raw.consumers : [];
  return {
    ...readGroupKey(raw.g),
    lag: raw.lag,
    pending: raw.pending,
    dead: raw.dead,
    oldestPendingMs: raw.oldest === 0 || raw.pending === 0 ? null : raw.oldest,
    maxDeliveries: raw.max,
    consumers: consumers.map(([name, leased, seenMs]) => ({ name, leased, seenMs })),
  };
}
