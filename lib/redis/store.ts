import type { ChainableCommander } from "ioredis";
import { formatId, type Id, readId } from "../codec/id.ts";
import {
  type LogEntry,
  type RawEntry,
  readLogEntry,
  readTopicEntry,
  type TopicEntry,
} from "./entry.ts";
import { CensusStore } from "./census_store.ts";
import { ConfirmationStore } from "./confirmation_store.ts";
import { type RedisFailure, toRedisFailure } from "./failure.ts";
import { ephemeralFrame } from "./frame.ts";
import { GroupStore } from "./group_store.ts";
import { Keys } from "./keys.ts";
import { PartitionParts } from "./partition_parts.ts";
import { type Position, readPosition } from "./position.ts";
import { Reign } from "./reign.ts";
import { throwFirst } from "./replies.ts";
import { RequestStore } from "./request_store.ts";
import { ScheduleStore } from "./schedule_store.ts";
import { Script, type ScriptCall, withScripts } from "./script.ts";
import { COMMIT } from "./scripts/commit.lua.ts";
import { FLOORS } from "./scripts/floors.lua.ts";
import { POSITION } from "./scripts/position.lua.ts";
import { TOUCH } from "./scripts/touch.lua.ts";
import { ServerStore } from "./server_store.ts";
import type { Site } from "./site.ts";
import type { Stamp } from "./stamp.ts";
import { SubscriberStore } from "./subscriber_store.ts";
import { RateStore } from "./rate_store.ts";
import { TicketStore } from "./ticket_store.ts";
import { type Retention, TopicStore } from "./topic_store.ts";
import { FRAME_BYTES, LANE_MS, LOG_ENTRIES } from "./write_limits.ts";

const commitScript = new Script(COMMIT, "commit");
const floorsScript = new Script(FLOORS, "floors");
const positionScript = new Script(POSITION, "position");
const touchScript = new Script(TOUCH, "touch");

const BACKLOG_FACTOR = 10;
/** How long a health check's key is kept. */
const HEALTH_MS = 60_000;

/** A message on its way into the store. */
export interface OutgoingMessage {
  /** JSON text on one line, without id, topic and time. */
  readonly body: string;
  /** JSON text on one line with `ttl`, `idem`, `hash`, `key`; empty where none is set. */
  readonly options: string;
}

/** One commit: numbered on its lane, sorted by topic. */
export interface Commit extends Stamp {
  readonly atomic: boolean;
  readonly topics: readonly {
    readonly topic: string;
    readonly messages: readonly OutgoingMessage[];
  }[];
}

/** Why a message of a commit did not simply get the next id. */
export type SpecialOutcome =
  | "dup"
  | "conflict"
  | "type"
  | "aborted"
  /** A group holds the topic up. */
  | "full"
  /** It is kept for later. */
  | "later"
  | "laterdup";

/**
 * A message that did not simply get the next id: its index over all topics, what happened, the id of a duplicate's original,
 * the key of the group that holds up a full topic, or the token of what is kept for later and when that is due, in
 * milliseconds since 1970.
 */
export type SpecialMessage = readonly [
  index: number,
  outcome: SpecialOutcome,
  id: string,
  at?: number,
];

/** What a commit did. */
export interface CommitReply {
  readonly generation: number;
  readonly clock: string;
  /** For each topic the id of its first stored message; "" where none was stored. */
  readonly firsts: readonly string[];
  readonly special: readonly SpecialMessage[];
  /** How many replicas have it; only where that was waited for. */
  readonly replicas?: number;
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
  /** Which of the partitions it is, from 0. */
  readonly partition: number;
  /** Of how many. @default 1 */
  readonly partitions?: number;
  readonly retention: Retention;
  /** How long an idempotency key is remembered, in milliseconds. */
  readonly idempotencyMs: number;
  /** How many times its most messages a topic's unacknowledged work may be. @default 10 */
  readonly backlogFactor?: number;
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
  /** Groups, and what they hold. */
  readonly groups: GroupStore;
  /** Messages kept for later. */
  readonly schedule: ScheduleStore;
  /** Confirmations that publishers wait for. */
  readonly confirmations: ConfirmationStore;
  /** Open requests and the replies to them. */
  readonly requests: RequestStore;
  /** Names, settings and retention of the topics. */
  readonly topics: TopicStore;
  /** Which tickets were used. */
  readonly tickets: TicketStore;
  /** What was done in a second. */
  readonly rates: RateStore;
  /** How many subscriptions each process has open. */
  readonly subscribers: SubscriberStore;
  /** What there is, counted for all processes. */
  readonly census: CensusStore;
  /** The Redis server that it is on. */
  readonly server: ServerStore;
  readonly #site: Site;
  readonly #parts: PartitionParts;
  readonly #options: StoreOptions;
  readonly #reign = new Reign();
  #skewMs = 0;

  constructor(site: Site, options: StoreOptions) {
    const { prefix, partition, partitions = 1 } = options;
    this.#site = site;
    this.#options = options;
    this.keys = new Keys({ prefix, partition, partitions, db: site.db });
    const parts = new PartitionParts({ site, keys: this.keys, reign: this.#reign });
    this.#parts = parts;
    this.groups = new GroupStore(parts, options.retention);
    this.schedule = new ScheduleStore(parts, options.retention);
    this.confirmations = new ConfirmationStore(parts);
    this.requests = new RequestStore(parts);
    this.tickets = new TicketStore(parts);
    this.rates = new RateStore(parts);
    this.topics = new TopicStore(parts, options.retention);
    this.subscribers = new SubscriberStore(parts);
    this.census = new CensusStore(parts);
    this.server = new ServerStore(parts);
  }

  /** Whether it is on a Cluster, where each partition may be on another node. */
  get isSharded(): boolean {
    return this.#site.sharded;
  }

  /** Redis's time as of the last answer and our own clock since, in milliseconds since 1970. */
  get now(): number {
    return Date.now() + this.#skewMs;
  }

  /** Stores a commit. Sending the same number again returns the first reply and stores nothing. */
  async commit(commit: Commit): Promise<CommitReply> {
    const call = this.#commitCall(commit);
    return this.#readCommit(await this.#site.write((client) => commitScript.run(client, call)));
  }

  /**
   * Stores a commit and waits until so many replicas have it, up to a time in `performance.now()` milliseconds; the reply
   * says how many have. The script goes whole: where Redis did not know its hash, it would wait behind nothing.
   */
  async commitReplicated(
    commit: Commit,
    { replicas, until }: { replicas: number; until: number },
  ): Promise<CommitReply> {
    const call = commitScript.call(this.#commitCall(commit));
    const add = (pipeline: ChainableCommander) => call(pipeline, "source");
    const done = await this.#site.writeReplicated({ add, replicas, until });
    return { ...this.#readCommit(done.reply), replicas: done.replicas };
  }

  #readCommit(reply: unknown): CommitReply {
    const raw = JSON.parse(String(reply)) as {
      gen: number;
      clock: string;
      firsts: string[];
      special: SpecialMessage[];
    };
    this.#reign.saw(raw.gen);
    return { generation: raw.gen, clock: raw.clock, firsts: raw.firsts, special: raw.special };
  }

  #commitCall(commit: Commit): ScriptCall {
    const { keys } = this;
    const { retention, idempotencyMs } = this.#options;
    const args: (string | number)[] = [
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
      this.#options.backlogFactor ?? BACKLOG_FACTOR,
    ];
    for (const { topic, messages } of commit.topics) {
      args.push(topic, messages.length, messages.map(({ body }) => body).join("\n"));
      const plain = messages.every(({ options }) => options === "");
      args.push(plain ? "" : messages.map(({ options }) => `${options}\n`).join(""));
    }
    const names = [keys.log, keys.settings, keys.topics, keys.lane(commit.lane)];
    for (const { topic } of commit.topics) names.push(keys.topic(topic));
    return this.#parts.call(names, args);
  }

  /** Drops the write lane's link, so that a call that got no answer cannot be taken for the next. */
  resetLane(): void {
    this.#site.resetLane();
  }

  /** Drops the link of commits that wait for so many replicas; see {@link resetLane}. */
  resetReplicated(replicas: number): void {
    this.#site.resetReplicated(replicas);
  }

  /**
   * Publishes messages, in order, to whoever is listening now, and stores nothing.
   *
   * @returns how many feeds got each by its topic, and by the channel of the whole partition
   */
  async publishEphemeral(
    messages: readonly { topic: string; body: string }[],
  ): Promise<{ named: number; everything: number }[]> {
    return await this.#site.run(async (client) => {
      const time = await this.#parts.check(client);
      const pipeline = client.pipeline();
      for (const { topic, body } of messages) {
        const frame = ephemeralFrame(topic, { time, body });
        for (const channel of [this.keys.channel(topic), this.keys.all]) {
          if (this.#site.sharded) pipeline.spublish(channel, frame);
          else pipeline.publish(channel, frame);
        }
      }
      const counts = throwFirst(await pipeline.exec());
      return messages.map((_, i) => ({
        named: Number(counts[2 * i]),
        everything: Number(counts[2 * i + 1]),
      }));
    });
  }

  /**
   * Reads where the partition stands, for a cursor and some topics. A cursor that may be another partition's counts as a
   * time where its generation is not known here.
   */
  async position(
    options: { cursor?: Id; isGuess?: boolean; topics?: readonly string[] } = {},
  ): Promise<Position> {
    const call = this.#positionCall(options);
    const reply = await this.#site.run((client) => positionScript.run(client, call));
    return this.#learn(readPosition(reply));
  }

  /** Publishes a probe on a channel, and reads where the partition stands. */
  async probe(options: { channel: string; number: number }): Promise<Position> {
    const call = this.#positionCall({ probe: options });
    const reply = await this.#site.run((client) => positionScript.run(client, call));
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
    const call = this.#parts.call(topics.map((topic) => keys.topic(topic)), [topics.length]);
    const reply = await this.#site.run((client) => floorsScript.run(client, call));
    return (reply as string[]).map((text) => text === "" ? undefined : readId(text));
  }

  /**
   * Reads whole frames of the log from their topics' streams; one list for each.
   *
   * @param options.generation under which the log was read, where it was: another primary may lack what that one said
   * @throws RedisFailure `stale_primary` where it is another one by now
   */
  async readFrames(
    frames: readonly { topic: string; first: Id; last: Id }[],
    { generation }: { generation?: number } = {},
  ): Promise<TopicEntry[][]> {
    if (frames.length === 0) return [];
    const { position, replies } = await this.#readInOneReign({}, (pipeline) => {
      for (const { topic, first, last } of frames) {
        pipeline.xrange(this.keys.topic(topic), formatId(first), formatId(last));
      }
    });
    if (generation !== undefined && position.generation !== generation) throw anotherReign();
    return replies.map((reply, i) => {
      const topic = frames[i]?.topic ?? "";
      return reply.map((entry) => readTopicEntry(topic, entry));
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
    const [entries] = await this.#parts.read((pipeline) =>
      options.descending
        ? pipeline.xrevrange(key, high, low, "COUNT", options.count)
        : pipeline.xrange(key, low, high, "COUNT", options.count)
    ) as [RawEntry[]];
    return entries.map((entry) => readTopicEntry(options.topic, entry));
  }

  /** Writes a key that nobody reads, on the write lane: what refuses it refuses messages too. */
  async checkWrite(): Promise<void> {
    const call = this.#parts.call([this.keys.health], [HEALTH_MS]);
    await this.#site.write((client) => touchScript.run(client, call));
  }

  #positionCall(
    options: {
      cursor?: Id;
      isGuess?: boolean;
      topics?: readonly string[];
      probe?: { channel: string; number: number };
    },
  ): ScriptCall {
    const { cursor, isGuess = false } = options;
    return this.#parts.call([], [
      cursor === undefined ? "" : `${isGuess ? "~" : ""}${formatId(cursor)}`,
      options.probe?.channel ?? "",
      options.probe?.number ?? 0,
      ...(options.topics ?? []),
    ]);
  }

  /**
   * Reads between two looks at the position: where both name the same generation, so does what was read. MULTI would do
   * as well, but a Redis that is out of memory refuses it, and reading must go on there.
   */
  async #readInOneReign(
    options: { cursor?: Id; topics?: readonly string[] },
    ranges: (pipeline: ChainableCommander) => void,
  ): Promise<{ position: Position; replies: RawEntry[][] }> {
    const before = positionScript.call(this.#positionCall(options));
    const after = positionScript.call(this.#positionCall({}));
    const [first, ...replies] = await this.#site.run((client) =>
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
    throw anotherReign();
  }

  #learn(position: Position): Position {
    this.#skewMs = position.now - Date.now();
    this.#reign.saw(position.generation);
    return position;
  }
}

function anotherReign(): RedisFailure {
  return toRedisFailure(new Error("STALEPRIMARY another generation began meanwhile"), false);
}
