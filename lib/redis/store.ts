import type { ChainableCommander } from "ioredis";
import { formatId, type Id, readId } from "../codec/id.ts";
import {
  type LogEntry,
  type RawEntry,
  readLogEntry,
  readTopicEntry,
  type TopicEntry,
} from "./entry.ts";
import { toRedisFailure } from "./failure.ts";
import { ephemeralFrame } from "./frame.ts";
import { Keys } from "./keys.ts";
import type { RedisNode } from "./node.ts";
import { type Position, readPosition, readTopicState, type TopicState } from "./position.ts";
import { Script, withScripts } from "./script.ts";
import { COMMIT } from "./scripts/commit.lua.ts";
import { FLOORS } from "./scripts/floors.lua.ts";
import { POSITION } from "./scripts/position.lua.ts";
import { REMOVE } from "./scripts/remove.lua.ts";
import { RETAIN } from "./scripts/retain.lua.ts";

const commitScript = new Script(COMMIT);
const floorsScript = new Script(FLOORS);
const positionScript = new Script(POSITION);
const removeScript = new Script(REMOVE);
const retainScript = new Script(RETAIN);

/** Entries kept in the log; below its floor topics are merged instead. */
const LOG_ENTRIES = 100_000;
/** Bodies of a frame above which it travels as ids only: what every process gets must stay small. */
const FRAME_BYTES = 16_384;
/** How long a lane's last commit is remembered: longer than any stalled call can come late. */
const LANE_MS = 24 * 3_600_000;
/** Messages removed in one call: a hundred thousand would block Redis for tens of milliseconds. */
export const TRIM_STEP = 10_000;
/** Field of the subscriptions by pattern; no topic has this name. */
const PATTERNS = "*";
const HEALTH_MS = 60_000;
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

/** A message on its way into the store. */
export interface OutgoingMessage {
  /** JSON text on one line, without id, topic and time. */
  readonly body: string;
  /** JSON text on one line with `ttl`, `idem`, `hash`, `key`; empty where none is set. */
  readonly options: string;
}

/** One commit: numbered on its lane, sorted by topic. */
export interface Commit {
  readonly lane: string;
  readonly number: number;
  readonly atomic: boolean;
  readonly topics: readonly {
    readonly topic: string;
    readonly messages: readonly OutgoingMessage[];
  }[];
}

/** Why a message of a commit did not simply get the next id. */
export type SpecialOutcome = "dup" | "conflict" | "type" | "aborted";

/** What a commit did. */
export interface CommitReply {
  readonly generation: number;
  readonly clock: string;
  /** For each topic the id of its first stored message; "" where none was stored. */
  readonly firsts: readonly string[];
  /** Index of the message over all topics, what happened, and the id of the original of a duplicate. */
  readonly special: readonly (readonly [index: number, outcome: SpecialOutcome, id: string])[];
}

/** One range of a topic to read: after `after`, up to `upTo`, in id order. */
export interface TopicRange {
  readonly topic: string;
  readonly after: Id;
  readonly upTo: Id;
  readonly count: number;
}

/** Options of {@link PartitionStore}. */
export interface StoreOptions {
  readonly prefix: string;
  readonly partition: number;
  readonly retention: Retention;
  /** How long an idempotency key is remembered, in milliseconds. */
  readonly idempotencyMs: number;
}

/**
 * One partition in Redis. Every call says which generation was seen last and learns the present one, so that a primary
 * that has fallen behind is never read and never written.
 *
 * Every method rejects with a RedisFailure.
 */
export class PartitionStore {
  /** Names of the partition's keys and channels. */
  readonly keys: Keys;
  readonly #node: RedisNode;
  readonly #options: StoreOptions;
  #seen = 0;

  constructor(node: RedisNode, options: StoreOptions) {
    this.#node = node;
    this.#options = options;
    this.keys = new Keys({ prefix: options.prefix, partition: options.partition, db: node.db });
  }

  /** Stores a commit. Sending the same number again returns the first reply and stores nothing. */
  async commit(commit: Commit): Promise<CommitReply> {
    const { keys } = this;
    const { retention, idempotencyMs } = this.#options;
    const args: (string | number)[] = [
      this.#seen,
      commit.number,
      keys.base,
      keys.channels,
      retention.maxMessages,
      retention.maxAgeMs ?? 0,
      idempotencyMs,
      LOG_ENTRIES,
      FRAME_BYTES,
      commit.atomic ? "1" : "0",
      LANE_MS,
    ];
    for (const { topic, messages } of commit.topics) {
      args.push(topic, messages.length, messages.map(({ body }) => body).join("\n"));
      const plain = messages.every(({ options }) => options === "");
      args.push(plain ? "" : messages.map(({ options }) => `${options}\n`).join(""));
    }
    const names = [
      keys.meta,
      keys.gens,
      keys.log,
      keys.settings,
      keys.topics,
      keys.lane(commit.lane),
    ];
    for (const { topic } of commit.topics) names.push(keys.topic(topic));
    const reply = await this.#node.lane.run((client) =>
      commitScript.run(client, { keys: names, args })
    );
    const raw = JSON.parse(String(reply)) as {
      gen: number;
      clock: string;
      firsts: string[];
      special: [number, SpecialOutcome, string][];
    };
    this.#saw(raw.gen);
    return { generation: raw.gen, clock: raw.clock, firsts: raw.firsts, special: raw.special };
  }

  /** Drops the write lane's link, so that a call that got no answer cannot be taken for the next. */
  resetLane(): void {
    this.#node.lane.reset();
  }

  /** Publishes a message to whoever is listening now, and stores nothing. Resolves with Redis's time. */
  async publishEphemeral(topic: string, body: string): Promise<void> {
    await this.#node.run(async (client) => {
      const [seconds, micros] = await client.time() as [number | string, number | string];
      const time = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
      const frame = ephemeralFrame(topic, { time, body });
      const pipeline = client.pipeline().publish(this.keys.channel(topic), frame)
        .publish(this.keys.all, frame);
      throwFirst(await pipeline.exec());
    });
  }

  /** Reads where the partition stands, for a cursor and some topics. */
  async position(options: { cursor?: Id; topics?: readonly string[] } = {}): Promise<Position> {
    const call = this.#positionCall(options);
    const reply = await this.#node.run((client) => positionScript.run(client, call));
    return this.#learn(readPosition(reply));
  }

  /** Publishes a probe on a channel, and reads where the partition stands. */
  async probe(options: { channel: string; number: number }): Promise<Position> {
    const call = this.#positionCall({ probe: options });
    const reply = await this.#node.run((client) => positionScript.run(client, call));
    return this.#learn(readPosition(reply));
  }

  /** Reads ranges of topics, and where the partition stood just before. */
  async readTopics(
    options: { cursor: Id; topics: readonly string[]; ranges: readonly TopicRange[] },
  ): Promise<{ position: Position; ranges: TopicEntry[][] }> {
    const { position, replies } = await this.#readInOneReign(options, (pipeline) => {
      for (const range of options.ranges) {
        pipeline.xrange(
          this.keys.topic(range.topic),
          `(${formatId(range.after)}`,
          formatId(range.upTo),
          "COUNT",
          range.count,
        );
      }
    });
    return {
      position,
      ranges: replies.map((reply, i) => {
        const topic = options.ranges[i]?.topic ?? "";
        return reply.map((entry) => readTopicEntry(topic, entry));
      }),
    };
  }

  /** Reads the log after a cursor, and where the partition stood just before. */
  async readLog(
    options: { cursor: Id; topics?: readonly string[]; count: number },
  ): Promise<{ position: Position; entries: LogEntry[] }> {
    const { position, replies } = await this.#readInOneReign(options, (pipeline) => {
      pipeline.xrange(this.keys.log, `(${formatId(options.cursor)}`, "+", "COUNT", options.count);
    });
    return { position, entries: (replies[0] ?? []).map(readLogEntry) };
  }

  /** Reads the id before each topic's oldest message that is kept; undefined where none is. */
  async floors(topics: readonly string[]): Promise<(Id | undefined)[]> {
    const { keys } = this;
    const reply = await this.#node.run((client) =>
      floorsScript.run(client, {
        keys: [keys.meta, keys.gens, ...topics.map((topic) => keys.topic(topic))],
        args: [this.#seen],
      })
    );
    return (reply as string[]).map((text) => text === "" ? undefined : readId(text));
  }

  /** Reads whole frames of the log from their topics' streams; one list for each. */
  async readFrames(
    frames: readonly { topic: string; first: Id; last: Id }[],
  ): Promise<TopicEntry[][]> {
    if (frames.length === 0) return [];
    const replies = await this.#node.run(async (client) => {
      const pipeline = client.pipeline();
      for (const { topic, first, last } of frames) {
        pipeline.xrange(this.keys.topic(topic), formatId(first), formatId(last));
      }
      return throwFirst(await pipeline.exec());
    });
    return replies.map((reply, i) => {
      const topic = frames[i]?.topic ?? "";
      return (reply as RawEntry[]).map((entry) => readTopicEntry(topic, entry));
    });
  }

  /** Reads messages of one topic in either direction; `after` and `before` are exclusive bounds. */
  async history(
    options: {
      topic: string;
      after?: Id | undefined;
      before?: Id | undefined;
      count: number;
      descending: boolean;
    },
  ): Promise<TopicEntry[]> {
    const low = options.after === undefined ? "-" : `(${formatId(options.after)}`;
    const high = options.before === undefined ? "+" : `(${formatId(options.before)}`;
    const key = this.keys.topic(options.topic);
    const entries = await this.#node.run((client) =>
      options.descending
        ? client.xrevrange(key, high, low, "COUNT", options.count)
        : client.xrange(key, low, high, "COUNT", options.count)
    );
    return entries.map((entry) => readTopicEntry(options.topic, entry));
  }

  /** Lists topic names in byte order, after `after`, with their states; those deleted included. */
  async topics(
    options: { prefix?: string; after?: string; count: number },
  ): Promise<{ topic: string; state: TopicState | undefined }[]> {
    const { prefix = "", after } = options;
    const low = after !== undefined && after >= prefix ? `(${after}` : `[${prefix}`;
    const names = await this.#node.run((client) =>
      client.zrange(this.keys.topics, low, "+", "BYLEX", "LIMIT", 0, options.count)
    );
    const wanted = names.filter((name) => name.startsWith(prefix));
    if (wanted.length === 0) return [];
    const states = await this.#node.run((client) =>
      client.hmget(this.keys.meta, ...wanted.map((name) => `t:${name}`))
    );
    return wanted.map((topic, i) => ({ topic, state: readTopicState(states[i] ?? "") }));
  }

  /** Reads what can be told of one topic; undefined where it never was, or was deleted. */
  async topicInfo(topic: string): Promise<TopicInfo | undefined> {
    const { keys } = this;
    const replies = await this.#node.run(async (client) =>
      throwFirst(
        await client.pipeline()
          .hget(keys.meta, `t:${topic}`)
          .hget(keys.settings, topic)
          .xlen(keys.topic(topic))
          .xrange(keys.topic(topic), "-", "+", "COUNT", 1)
          .memory("USAGE", keys.topic(topic))
          .exec(),
      )
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

  /**
   * Writes down a process's open subscriptions, or where they have not changed that they still are; 0 ms takes it back.
   *
   * @returns false where nothing is written down any more, so that they must be given again
   */
  async reportSubscribers(
    processId: string,
    { counts, keepMs }: { counts: SubscriberCounts | undefined; keepMs: number },
  ): Promise<boolean> {
    const { keys } = this;
    const own = keys.subscribers(processId);
    return await this.#node.run(async (client) => {
      const multi = client.multi().pexpire(own, keepMs);
      if (counts !== undefined) {
        multi.del(own);
        multi.hset(
          own,
          new Map([...counts.topics].map(([topic, n]) => [topic, String(n)])).set(
            PATTERNS,
            JSON.stringify(Object.fromEntries(counts.patterns)),
          ),
        );
      }
      multi.pexpire(own, keepMs);
      multi.zremrangebyscore(keys.processes, "-inf", Date.now());
      if (keepMs > 0) multi.zadd(keys.processes, Date.now() + keepMs, processId);
      else multi.zrem(keys.processes, processId);
      const [known] = throwFirst(await multi.exec());
      return counts !== undefined || known === 1;
    });
  }

  /** Reads what each process reported of a topic: its subscriptions by name, and all of those by pattern. */
  async subscribers(
    topic: string,
  ): Promise<{ named: number; patterns: Record<string, number> }[]> {
    const { keys } = this;
    return await this.#node.run(async (client) => {
      const processes = await client.zrangebyscore(keys.processes, Date.now(), "+inf");
      const pipeline = client.pipeline();
      for (const id of processes) pipeline.hmget(keys.subscribers(id), topic, PATTERNS);
      const replies = processes.length === 0 ? [] : throwFirst(await pipeline.exec());
      return (replies as [string | null, string | null][]).map(([named, patterns]) => ({
        named: Number(named ?? 0),
        patterns: JSON.parse(patterns ?? "{}"),
      }));
    });
  }

  /** Takes the sweep's turn for a while; false where another process has it. */
  async takeSweep(processId: string, forMs: number): Promise<boolean> {
    const reply = await this.#node.run((client) =>
      client.set(this.keys.sweep, processId, "PX", forMs, "NX")
    );
    return reply === "OK";
  }

  /** Writes a key that nobody reads, on the write lane: what refuses it refuses messages too. */
  async checkWrite(): Promise<void> {
    await this.#node.lane.run((client) => client.set(this.keys.health, "1", "PX", HEALTH_MS));
  }

  /** Deletes a topic; false where there was none. */
  async remove(topic: string): Promise<boolean> {
    const { keys } = this;
    const reply = await this.#node.run((client) =>
      removeScript.run(client, {
        keys: [keys.meta, keys.gens, keys.settings, keys.topics, keys.topic(topic)],
        args: [this.#seen, topic],
      })
    );
    return Number(reply) > 0;
  }

  #retain(topics: readonly string[], settings: string): Promise<number> {
    const { keys } = this;
    const { retention } = this.#options;
    return this.#node.run(async (client) =>
      Number(
        await retainScript.run(client, {
          keys: [
            keys.meta,
            keys.gens,
            keys.settings,
            keys.topics,
            ...topics.map((topic) => keys.topic(topic)),
          ],
          args: [
            this.#seen,
            retention.maxMessages,
            retention.maxAgeMs ?? 0,
            TRIM_STEP,
            TOMBSTONE_MS,
            settings,
            ...topics,
          ],
        }),
      )
    );
  }

  #positionCall(
    options: {
      cursor?: Id;
      topics?: readonly string[];
      probe?: { channel: string; number: number };
    },
  ): { keys: string[]; args: (string | number)[] } {
    return {
      keys: [this.keys.meta, this.keys.gens],
      args: [
        this.#seen,
        options.cursor === undefined ? "" : formatId(options.cursor),
        options.probe?.channel ?? "",
        options.probe?.number ?? 0,
        ...(options.topics ?? []),
      ],
    };
  }

  /**
   * Reads between two looks at the position: where both name the same generation, so does what was read. MULTI would do
   * as well, but a Redis that is out of memory refuses it, and reading must go on there.
   */
  async #readInOneReign(
    options: { cursor: Id; topics?: readonly string[] },
    ranges: (pipeline: ChainableCommander) => void,
  ): Promise<{ position: Position; replies: RawEntry[][] }> {
    const before = positionScript.call(this.#positionCall(options));
    const after = positionScript.call(this.#positionCall({}));
    const [first, ...replies] = await this.#node.run((client) =>
      withScripts(async (how) => {
        const pipeline = client.pipeline();
        before(pipeline, how);
        ranges(pipeline);
        after(pipeline, how);
        return throwFirst(await pipeline.exec());
      })
    );
    const position = this.#learn(readPosition(first));
    if (this.#learn(readPosition(replies.pop())).generation === position.generation) {
      return { position, replies: replies as RawEntry[][] };
    }
    throw toRedisFailure(new Error("STALEPRIMARY another generation began meanwhile"), false);
  }

  #learn(position: Position): Position {
    this.#saw(position.generation);
    return position;
  }

  #saw(generation: number): void {
    if (generation > this.#seen) this.#seen = generation;
  }
}

/** Open subscriptions of one process, by topic and by pattern. */
export interface SubscriberCounts {
  readonly topics: ReadonlyMap<string, number>;
  readonly patterns: ReadonlyMap<string, number>;
}

/** What {@link PartitionStore.topicInfo} tells. */
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

function readSettings(text: string | null): TopicSettings | undefined {
  if (text === null) return undefined;
  const [messages, age] = text.split(" ");
  return {
    ...(messages === "-" ? {} : { maxMessages: Number(messages) }),
    ...(age === "-" ? {} : { maxAgeMs: Number(age) }),
  };
}

function throwFirst(replies: [error: Error | null, reply: unknown][] | null): unknown[] {
  if (replies === null) throw toRedisFailure(new Error("Connection is closed."), true);
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
