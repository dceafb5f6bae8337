import type { StoredMessage } from "../codec/message.ts";
import type { PartitionParts } from "./partition_parts.ts";
import { Script } from "./script.ts";
import { ADOPT } from "./scripts/adopt.lua.ts";
import { CONFIGURE } from "./scripts/configure.lua.ts";
import { DESCRIBE } from "./scripts/describe.lua.ts";
import { DISBAND } from "./scripts/disband.lua.ts";
import { REDRIVE } from "./scripts/redrive.lua.ts";
import { WORK } from "./scripts/work.lua.ts";
import type { Stamp } from "./stamp.ts";
import type { Retention } from "./topic_store.ts";
import { FRAME_BYTES, LANE_MS, LOG_ENTRIES } from "./write_limits.ts";

const adoptScript = new Script(ADOPT);
const configureScript = new Script(CONFIGURE);
const describeScript = new Script(DESCRIBE);
const disbandScript = new Script(DISBAND);
const redriveScript = new Script(REDRIVE);
const workScript = new Script(WORK);

/** How often a message is given out before it is a dead letter, where its group does not say. */
export const MAX_DELIVERIES = 5;
/** Bytes of bodies after which a pull takes no more. */
const PULL_BYTES = 1 << 20;
const TOPICS_A_STEP = 500;
const DEAD_A_STEP = 500;
/** Pending messages and consumers that a description looks at. */
const LOOKED_AT = 1_000;

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
  /** When the next lease ends or nacked message is due, on Redis's clock. */
  readonly nextDue?: number;
  /** Whether the group was made. */
  readonly created: boolean;
  /** Whether the attempt was made before. */
  readonly repeated: boolean;
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

/** The groups of a partition. Methods reject with a RedisFailure. */
export class GroupStore {
  readonly #partition: PartitionParts;
  readonly #retention: Retention;

  constructor(partition: PartitionParts, retention: Retention) {
    this.#partition = partition;
    this.#retention = retention;
  }

  /** Does pulls and acknowledgements, in order. The same stamp again gives the first results. */
  async work(
    { lane, number, ops }: Stamp & { readonly ops: readonly WorkOp[] },
  ): Promise<readonly WorkResult[]> {
    const { keys, node, reign } = this.#partition;
    const args: (string | number)[] = [
      reign.seen,
      number,
      keys.base,
      keys.channels,
      this.#retention.maxMessages,
      this.#retention.maxAgeMs ?? 0,
      LOG_ENTRIES,
      FRAME_BYTES,
      LANE_MS,
      MAX_DELIVERIES,
      PULL_BYTES,
    ];
    for (const op of ops) for (const arg of argsOf(op)) args.push(arg);
    const names = [keys.meta, keys.gens, keys.log, keys.settings, keys.topics, keys.lane(lane)];
    const reply = await node.lane.run((client) => workScript.run(client, { keys: names, args }));
    const [text, ...copies] = reply as [string, ...(string | null)[]];
    const { gen, results } = JSON.parse(text) as { gen: number; results: RawResult[] };
    reign.saw(gen);
    const rest = copies.values();
    return results.map((raw) => "k" in raw ? settled(raw) : pulled(raw, rest));
  }

  /** Reads the pattern groups, and the version that rises whenever they change. */
  async patterns(): Promise<{ version: number; names: readonly GroupName[] }> {
    const { keys, node } = this.#partition;
    const [version, names] = await node.run(async (client) => {
      const [[, version], [, names]] = await client.multi()
        .hget(keys.meta, "gv").hkeys(keys.patternGroups).exec() as [
          [Error | null, string | null],
          [Error | null, string[]],
        ];
      return [version, names] as const;
    });
    return { version: Number(version ?? 0), names: names.map(readGroupKey) };
  }

  /** Makes pattern groups consume topics; fails with `groups_changed` where the version is not the present one. */
  async adopt(
    { version, topics }: {
      readonly version: number;
      readonly topics: readonly { readonly topic: string; readonly groups: readonly GroupName[] }[];
    },
  ): Promise<void> {
    const { keys } = this.#partition;
    await this.#run(adoptScript, [keys.meta, keys.gens, keys.topics], [
      version,
      ...topics.flatMap(({ topic, groups }) => [topic, groups.length, ...groups.map(groupKey)]),
    ]);
  }

  /** Makes a group where there is none; a number sets how often it gives a message out, null takes that back. */
  async configure(
    name: GroupName,
    { maxDeliveries, since }: { maxDeliveries?: number | null | undefined; since: string },
  ): Promise<{ created: boolean; deleting: boolean; maxDeliveries: number }> {
    const { keys } = this.#partition;
    const most = maxDeliveries === undefined ? "" : maxDeliveries ?? "-";
    const reply = await this.#run(configureScript, [keys.meta, keys.gens, keys.topics], [
      groupKey(name),
      name.sub,
      since,
      most,
      MAX_DELIVERIES,
    ]);
    const [what, now] = reply as [number, number];
    return { created: what === 1, deleting: what === -1, maxDeliveries: now };
  }

  /** Deletes a group with what it holds; false where there was none. */
  async remove(name: GroupName): Promise<boolean> {
    const { keys } = this.#partition;
    let reply: unknown = 2;
    let existed = false;
    while (reply === 2) {
      reply = await this.#run(disbandScript, [keys.meta, keys.gens], [
        groupKey(name),
        name.sub,
        TOPICS_A_STEP,
      ]);
      existed ||= reply !== 0;
    }
    return existed;
  }

  /** Tells of the groups of a topic, those by pattern included. */
  async describe(topic: string): Promise<readonly GroupInfo[]> {
    const { keys } = this.#partition;
    const reply = await this.#run(describeScript, [keys.meta, keys.gens], [
      topic,
      MAX_DELIVERIES,
      LOOKED_AT,
    ]);
    const raw = JSON.parse(String(reply)) as RawInfo[];
    return raw.map(infoOf).sort((a, b) => a.sub < b.sub || a.group < b.group ? -1 : 1);
  }

  /** Puts dead letters of a topic back to the groups that gave them up: all that there are now, or some by their ids. */
  async redrive(
    topic: string,
    { ids, group = "" }: { ids?: readonly string[] | undefined; group?: string | undefined } = {},
  ): Promise<{ redriven: number; unknown: readonly string[] }> {
    const { keys } = this.#partition;
    if (ids?.length === 0) return { redriven: 0, unknown: [] };
    let redriven = 0, at = 0;
    let to: number | "" = "";
    for (;;) {
      const reply = await this.#run(redriveScript, [keys.meta, keys.gens], [
        keys.channels,
        topic,
        group,
        at,
        to,
        DEAD_A_STEP,
        ...ids ?? [],
      ]);
      const step = JSON.parse(String(reply)) as RawRedrive;
      redriven += step.n;
      if (!step.more) return { redriven, unknown: step.x };
      at = step.at;
      to = step.to;
    }
  }

  #run(script: Script, names: string[], args: (string | number)[]): Promise<unknown> {
    const { keys, node, reign } = this.#partition;
    return node.run((client) =>
      script.run(client, { keys: names, args: [reign.seen, keys.base, ...args] })
    );
  }
}

interface RawPull {
  readonly i: string[];
  readonly d: number[];
  readonly l: string;
  readonly u: number;
  readonly m: 0 | 1;
  readonly n: number;
  readonly c: 0 | 1;
  readonly r: 0 | 1;
  readonly e: "" | "attempt" | "deleting";
}

interface RawSettled {
  readonly k: number;
  readonly x: string[];
}

type RawResult = RawPull | RawSettled;

interface RawInfo {
  readonly g: string;
  readonly lag: number;
  readonly pending: number;
  readonly dead: number;
  readonly oldest: number;
  readonly max: number;
  readonly consumers: [name: string, leased: number, seen: number][] | Record<string, never>;
}

interface RawRedrive {
  readonly n: number;
  readonly at: number;
  readonly to: number;
  readonly more: boolean;
  readonly x: string[];
}

function argsOf(op: WorkOp): (string | number)[] {
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

function settled({ k, x }: RawSettled): SettleResult {
  return { kind: "settle", done: k, unknown: x };
}

function pulled(raw: RawPull, copies: Iterator<string | null>): PullResult {
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

function infoOf(raw: RawInfo): GroupInfo {
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
