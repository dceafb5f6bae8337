import {
  type GroupInfo,
  groupKey,
  type GroupName,
  readGroupKey,
  type WorkOp,
  type WorkResult,
} from "./group.ts";
import {
  argsOf,
  infoOf,
  pulled,
  type RawInfo,
  type RawRedrive,
  type RawResult,
  settled,
} from "./group_replies.ts";
import type { PartitionParts } from "./partition_parts.ts";
import { Script } from "./script.ts";
import { ADOPT } from "./scripts/adopt.lua.ts";
import { CONFIGURE } from "./scripts/configure.lua.ts";
import { DESCRIBE } from "./scripts/describe.lua.ts";
import { DISBAND } from "./scripts/disband.lua.ts";
import { PATTERNS } from "./scripts/patterns.lua.ts";
import { REDRIVE } from "./scripts/redrive.lua.ts";
import { WORK } from "./scripts/work.lua.ts";
import type { Stamp } from "./stamp.ts";
import type { Retention } from "./topic_store.ts";
import { FRAME_BYTES, LANE_MS, LOG_ENTRIES } from "./write_limits.ts";

const adoptScript = new Script(ADOPT, "adopt");
const configureScript = new Script(CONFIGURE, "configure");
const describeScript = new Script(DESCRIBE, "describe");
const disbandScript = new Script(DISBAND, "disband");
const patternsScript = new Script(PATTERNS, "patterns");
const redriveScript = new Script(REDRIVE, "redrive");
const workScript = new Script(WORK, "work");

/** How often a message is given out before it is a dead letter, where its group does not say. */
export const MAX_DELIVERIES = 5;
/** Bytes of bodies after which a pull takes no more. */
const PULL_BYTES = 1 << 20;
const TOPICS_A_STEP = 500;
const DEAD_A_STEP = 500;
/** Pending messages and consumers that a description looks at. */
const LOOKED_AT = 1_000;

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
    const { keys, site, reign } = this.#partition;
    const args: (string | number)[] = [
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
    const names = [keys.log, keys.settings, keys.topics, keys.lane(lane)];
    const reply = await site.write((client) =>
      workScript.run(client, this.#partition.call(names, args))
    );
    const [text, ...copies] = reply as [string, ...(string | null)[]];
    const { gen, results } = JSON.parse(text) as { gen: number; results: RawResult[] };
    reign.saw(gen);
    const rest = copies.values();
    return results.map((raw) => "k" in raw ? settled(raw) : pulled(raw, rest));
  }

  /** Reads the pattern groups, and the version that rises whenever they change. */
  async patterns(): Promise<{ version: number; names: readonly GroupName[] }> {
    const { keys, site } = this.#partition;
    const call = this.#partition.call([keys.patternGroups], []);
    const reply = await site.run((client) => patternsScript.run(client, call));
    const [version, names] = reply as [number, string[]];
    return { version, names: names.map(readGroupKey) };
  }

  /** Makes pattern groups consume topics; fails with `groups_changed` where the version is not the present one. */
  async adopt(
    { version, topics }: {
      readonly version: number;
      readonly topics: readonly { readonly topic: string; readonly groups: readonly GroupName[] }[];
    },
  ): Promise<void> {
    const { keys } = this.#partition;
    await this.#run(adoptScript, [keys.topics], [
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
    const reply = await this.#run(configureScript, [keys.topics], [
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
    let reply: unknown = 2;
    let existed = false;
    while (reply === 2) {
      reply = await this.#run(disbandScript, [], [
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
    const reply = await this.#run(describeScript, [], [
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
      const reply = await this.#run(redriveScript, [], [
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
    const { keys, site } = this.#partition;
    return site.run((client) =>
      script.run(client, this.#partition.call(names, [keys.base, ...args]))
    );
  }
}
