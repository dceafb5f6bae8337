import type { StoredMessage } from "../codec/message.ts";

/** A group: what it consumes, a topic or a pattern, and its own name, which has no `|`. */
export interface GroupName {
  readonly sub: string;
  readonly group: string;
}

/** Takes messages that are due again and then new ones, and leases them; makes the group where there is none. */
export interface PullOp {
  readonly kind: "pull";
  readonly name: GroupName;
  /** Empty for none. */
  readonly consumer: string;
  /** The same number again gives what its lease still holds. */
  readonly attempt?: number;
  readonly max: number;
  readonly leaseMs: number;
  /** Where a new group starts: `latest`, `earliest`, `last:<n>` or after an id. */
  readonly since: string;
  /** Most that the consumer may hold in all. @default no limit */
  readonly cap?: number;
  /** The process to tell on its own channel when an ack lets the consumer take more. */
  readonly process?: string;
}

/** Ends or prolongs leases. Without `lease` it does so whoever holds them. */
export interface SettleOp {
  readonly kind: "ack" | "nack" | "extend";
  readonly name: GroupName;
  readonly ids: readonly string[];
  readonly lease?: string;
  /** When a nacked message is due again, from now. @default 0 */
  readonly delayMs?: number;
  readonly leaseMs?: number;
}

/** A message that is leased, and how often it was given out, this time included. */
export interface LeasedMessage {
  readonly message: StoredMessage;
  readonly deliveries: number;
}

/** What a pull gave. */
export interface PullResult {
  readonly kind: "pull";
  /** Unset where there are no messages. */
  readonly lease?: string;
  /** When the lease ends, in milliseconds since 1970 on Redis's clock. */
  readonly leaseUntil?: number;
  readonly messages: readonly LeasedMessage[];
  /** Whether there is more to take now. */
  readonly more: boolean;
  /** When the next lease ends or nacked message is due, on Redis's clock; only of a pull that gave nothing. */
  readonly nextDue?: number;
  /** Whether the group was made. */
  readonly created: boolean;
  /** Whether the attempt was made before. */
  readonly repeated: boolean;
  /** How many the consumer held before; only of a pull with `cap`. */
  readonly held?: number;
  /** Why nothing was done: a later attempt was made, or the group is being deleted. */
  readonly problem?: "attempt" | "deleting";
}

/** What an ack, nack or extend did. */
export interface SettleResult {
  readonly kind: "settle";
  readonly done: number;
  /** Ids that the group does not hold, or not under this lease. */
  readonly unknown: readonly string[];
}

/** What consumers ask for. */
export type WorkOp = PullOp | SettleOp;

/** What became of it. */
export type WorkResult = PullResult | SettleResult;

/** What can be told of a group of one topic. */
export interface GroupInfo {
  /** The topic or pattern that it consumes. */
  readonly sub: string;
  readonly group: string;
  /** Messages that it has not taken yet. */
  readonly lag: number;
  /** Messages that are leased, or wait to be leased again. */
  readonly pending: number;
  /** Dead letters that were not put back. */
  readonly dead: number;
  /** When the oldest pending message was published, in milliseconds since 1970; null where nothing is pending. */
  readonly oldestPendingMs: number | null;
  readonly maxDeliveries: number;
  readonly consumers: readonly {
    readonly name: string;
    readonly leased: number;
    readonly seenMs: number;
  }[];
}

/** The name of a group as it is in keys, frames and errors. */
export function groupKey({ sub, group }: GroupName): string {
  return `${sub}|${group}`;
}

/** Reads what {@link groupKey} wrote. */
export function readGroupKey(key: string): GroupName {
  const at = key.lastIndexOf("|");
  return { sub: key.slice(0, at), group: key.slice(at + 1) };
}
