import type { PartitionParts } from "./partition_parts.ts";
import { Script } from "./script.ts";
import { CANCEL } from "./scripts/cancel.lua.ts";
import { FIRE } from "./scripts/fire.lua.ts";
import type { Stamp } from "./stamp.ts";
import type { Retention } from "./topic_store.ts";
import { FRAME_BYTES, LANE_MS, LOG_ENTRIES } from "./write_limits.ts";

const cancelScript = new Script(CANCEL, "cancel");
const fireScript = new Script(FIRE, "fire");

/** What one call published of what was due. */
export interface FireResult {
  /** How many messages. */
  readonly fired: number;
  /** When the earliest that is left is due, in milliseconds since 1970 on Redis's clock; undefined where there is none. */
  readonly next: number | undefined;
  /** Whether that was due already: a call publishes only so much. */
  readonly more: boolean;
}

/** Most bytes of one call: as for a commit, much at once would keep Redis from others. */
const FIRE_BYTES = 256 << 10;

/** Messages that are kept for later. Methods reject with a RedisFailure. */
export class ScheduleStore {
  readonly #partition: PartitionParts;
  readonly #retention: Retention;

  constructor(partition: PartitionParts, retention: Retention) {
    this.#partition = partition;
    this.#retention = retention;
  }

  /**
   * Publishes messages that are due, in order of their time, `count` at the most. The same stamp again gives the first
   * result.
   */
  async fire({ lane, number, count }: Stamp & { readonly count: number }): Promise<FireResult> {
    const { keys, site, reign } = this.#partition;
    const names = [
      keys.log,
      keys.settings,
      keys.topics,
      keys.lane(lane),
      keys.later,
      keys.laterMessages,
    ];
    const args = [
      number,
      keys.base,
      keys.channels,
      this.#retention.maxMessages,
      this.#retention.maxAgeMs ?? 0,
      LOG_ENTRIES,
      FRAME_BYTES,
      LANE_MS,
      count,
      FIRE_BYTES,
    ];
    const reply = await site.write((client) =>
      fireScript.run(client, this.#partition.call(names, args))
    );
    const raw = JSON.parse(String(reply)) as FireResult & { gen: number; next: number };
    reign.saw(raw.gen);
    return { fired: raw.fired, next: raw.next === 0 ? undefined : raw.next, more: raw.more };
  }

  /** When the earliest is due, in milliseconds since 1970 on Redis's clock; undefined where there is none. */
  async head(): Promise<number | undefined> {
    const { keys } = this.#partition;
    const [head] = await this.#partition.read((pipeline) =>
      pipeline.zrange(keys.later, "0", "0", "WITHSCORES")
    ) as [(string | string[])[]];
    // pairs are nested in RESP3 and flat in RESP2
    const [, score] = head.flat();
    return score === undefined ? undefined : Number(score);
  }

  /** The topic of a message by its token; undefined where it is not there, or was published already. */
  async topicOf(token: string): Promise<string | undefined> {
    const { keys } = this.#partition;
    const [kept] = await this.#partition.read((pipeline) =>
      pipeline.hget(keys.laterMessages, token)
    ) as [string | null];
    return kept?.slice(0, kept.indexOf("\n"));
  }

  /** Forgets a message by its token; false where it is not there, or was published already. */
  async cancel(token: string): Promise<boolean> {
    const { keys, site } = this.#partition;
    const call = this.#partition.call([keys.later, keys.laterMessages], [token]);
    return Number(await site.run((client) => cancelScript.run(client, call))) > 0;
  }
}
