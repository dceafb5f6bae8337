import { formatId } from "../codec/id.ts";
import type { RawEntry } from "./entry.ts";
import type { PartitionParts } from "./partition_parts.ts";
import { readTopicState, type TopicState } from "./position.ts";
import { Script } from "./script.ts";
import { REMOVE } from "./scripts/remove.lua.ts";
import { RETAIN } from "./scripts/retain.lua.ts";

const removeScript = new Script(REMOVE, "remove");
const retainScript = new Script(RETAIN, "retain");

/** Messages removed in one call: a hundred thousand would block Redis for tens of milliseconds. */
export const TRIM_STEP = 10_000;
/** How long a deleted topic is remembered. */
const TOMBSTONE_MS = 7 * 24 * 3_600_000;

/** Retention of topics, as a store applies it. */
export interface Retention {
  /** Most messages kept a topic. */
  readonly maxMessages: number;
  /** Most age of a message in milliseconds; undefined for none. */
  readonly maxAgeMs: number | undefined;
}

/** Settings of one topic; what is unset follows the defaults. */
export interface TopicSettings {
  readonly maxMessages?: number;
  readonly maxAgeMs?: number;
}

/** What {@link TopicStore.info} tells. */
export interface TopicInfo {
  /** Messages kept. */
  readonly length: number;
  /** Id of the oldest message kept. */
  readonly firstId: string | undefined;
  /** Id of the last message published. */
  readonly lastId: string | undefined;
  /** Messages ever published. */
  readonly count: number;
  /** Memory that the messages take in Redis. */
  readonly bytes: number;
  readonly settings: TopicSettings;
}

/** The topics of a partition as things of their own: their names, settings and retention. Methods reject with a RedisFailure. */
export class TopicStore {
  readonly #partition: PartitionParts;
  readonly #retention: Retention;

  constructor(partition: PartitionParts, retention: Retention) {
    this.#partition = partition;
    this.#retention = retention;
  }

  /** Lists topic names in byte order, after `after`, with their states; those deleted included. */
  async list(
    options: { prefix?: string; after?: string; count: number },
  ): Promise<{ topic: string; state: TopicState | undefined }[]> {
    const { prefix = "", after } = options;
    const low = after !== undefined && after >= prefix ? `(${after}` : `[${prefix}`;
    const { keys } = this.#partition;
    const [names] = await this.#partition.read((pipeline) =>
      pipeline.zrange(keys.topics, low, "+", "BYLEX", "LIMIT", 0, options.count)
    ) as [string[]];
    const wanted = names.filter((name) => name.startsWith(prefix));
    if (wanted.length === 0) return [];
    const [states] = await this.#partition.read((pipeline) =>
      pipeline.hmget(keys.meta, ...wanted.map((name) => `t:${name}`))
    ) as [(string | null)[]];
    return wanted.map((topic, i) => ({ topic, state: readTopicState(states[i] ?? "") }));
  }

  /** Reads what can be told of one topic; undefined where it never was, or was deleted. */
  async info(topic: string): Promise<TopicInfo | undefined> {
    const { keys } = this.#partition;
    const replies = await this.#partition.read((pipeline) =>
      pipeline
        .hget(keys.meta, `t:${topic}`)
        .hget(keys.settings, topic)
        .xlen(keys.topic(topic))
        .xrange(keys.topic(topic), "-", "+", "COUNT", 1)
        .memory("USAGE", keys.topic(topic))
    );
    const state = readTopicState(String(replies[0] ?? ""));
    const settings = readSettings(replies[1] as string | null);
    if ((state === undefined || state.deletedAt !== undefined) && settings === undefined) return;
    const oldest = (replies[3] as RawEntry[])[0];
    return {
      length: Number(replies[2]),
      firstId: oldest?.[0],
      lastId: state === undefined || state.count === 0 ? undefined : formatId(state.last),
      count: state?.count ?? 0,
      bytes: Number(replies[4] ?? 0),
      settings: settings ?? {},
    };
  }

  /** Replaces a topic's settings and trims it to them. */
  async configure(topic: string, settings: TopicSettings): Promise<void> {
    const text = `${settings.maxMessages ?? "-"} ${settings.maxAgeMs ?? "-"}`;
    let removed = await this.#retain([topic], text);
    while (removed >= TRIM_STEP) removed = await this.#retain([topic], "");
  }

  /** Trims topics to their retention; resolves with how many messages went, {@link TRIM_STEP} at the most. */
  sweep(topics: readonly string[]): Promise<number> {
    return this.#retain(topics, "");
  }

  /** Takes the sweep's turn for a while; false where another process has it. */
  async takeSweep(processId: string, forMs: number): Promise<boolean> {
    const reply = await this.#partition.site.run((client) =>
      client.set(this.#partition.keys.sweep, processId, "PX", forMs, "NX")
    );
    return reply === "OK";
  }

  /** Deletes a topic; false where there was none. */
  async remove(topic: string): Promise<boolean> {
    const { keys } = this.#partition;
    const names = [keys.settings, keys.topics, keys.topic(topic)];
    const reply = await this.#partition.site.run((client) =>
      removeScript.run(client, this.#partition.call(names, [topic, keys.base]))
    );
    return Number(reply) > 0;
  }

  #retain(topics: readonly string[], settings: string): Promise<number> {
    const { keys } = this.#partition;
    const retention = this.#retention;
    const names = [keys.settings, keys.topics, ...topics.map((topic) => keys.topic(topic))];
    const args = [
      retention.maxMessages,
      retention.maxAgeMs ?? 0,
      TRIM_STEP,
      TOMBSTONE_MS,
      settings,
      keys.base,
      ...topics,
    ];
    return this.#partition.site.run(async (client) =>
      Number(await retainScript.run(client, this.#partition.call(names, args)))
    );
  }
}

function readSettings(text: string | null): TopicSettings | undefined {
  if (text === null) return undefined;
  const [messages, age] = text.split(" ");
  return {
    ...(messages === "-" ? {} : { maxMessages: Number(messages) }),
    ...(age === "-" ? {} : { maxAgeMs: Number(age) }),
  };
}
