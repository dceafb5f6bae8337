import { compareIds, generationOf, type Id, latestId, ZERO } from "../codec/id.ts";
import type { Logger } from "../log.ts";
import type { FeedLink, FeedLinkEvents } from "../redis/feed_link.ts";
import type { StoredMessage } from "../codec/message.ts";
import { type EphemeralFrame, type Frame, type Probe, readFrame } from "../redis/frame.ts";
import type { Position } from "../redis/position.ts";
import type { PartitionStore } from "../redis/store.ts";
import { Audience } from "./audience.ts";
import { type ChannelEntry, ChannelTable } from "./channel_table.ts";
import { Inflow } from "./inflow.ts";
import { ProbeWatch } from "./probe_watch.ts";
import { type LiveBatch, Ring } from "./ring.ts";
import { abortable, pause } from "./wait.ts";
import type { TopicFilter } from "./topic_filter.ts";

/** A subscription, as the feed sees it. All calls are synchronous and in id order. */
export interface FeedListener {
  readonly filter: TopicFilter;
  /** Messages of one commit came. */
  onBatch(live: LiveBatch): void;
  /** A message that is not stored came. */
  onEphemeral(message: StoredMessage): void;
  /** Something may be missing: the listener has been removed, and must read the log from where it stands. */
  onBreak(): void;
}

/** Options of {@link Feed}. */
export interface FeedOptions {
  readonly store: PartitionStore;
  readonly openLink: (events: FeedLinkEvents) => Promise<FeedLink>;
  readonly log: Logger;
  /** Names this process's probe channel. */
  readonly processId: string;
  /** Between probes, in milliseconds. @default 4000 */
  readonly probeMs?: number;
  /** How long a probe may take before the link counts as dead, in milliseconds. @default 1000 */
  readonly probeTimeoutMs?: number;
  /** How long a channel nobody wants is kept, in milliseconds. @default 5000 */
  readonly lingerMs?: number;
}

/** Channels that go live in one step: the script that reads their tails takes no more. */
const CHANNELS_A_STEP = 2_000;
const RING = { frames: 1_024, bytes: 8 << 20 };

/**
 * The one live stream of messages that this process receives from a partition, shared by all its subscriptions.
 *
 * The log is the only order; the feed is a cache of its end. Whatever makes it doubtful (a frame whose predecessor is
 * missing, another generation, a lost link, a probe that does not come back) is a break: everybody goes back to reading
 * the log, and the feed starts anew at its tail. Connecting, adding channels and repair are one serial task.
 */
export class Feed implements AsyncDisposable {
  readonly #options: Required<FeedOptions>;
  readonly #audience = new Audience<FeedListener>();
  readonly #ring = new Ring(RING);
  readonly #channels: ChannelTable;
  readonly #watch: ProbeWatch;
  readonly #inflow: Inflow;
  readonly #stop = new AbortController();
  #link: FeedLink | undefined;
  #linkNumber = 0;
  #generation = 0;
  #epoch = 0;
  #proven: Id = ZERO;
  #lastEphemeral = "";
  readonly #closing = new Set<Promise<void>>();
  #changed = Promise.withResolvers<void>();
  #settled = Promise.withResolvers<void>();
  #task: Promise<void> | undefined;

  constructor(options: FeedOptions) {
    this.#options = { probeMs: 4_000, probeTimeoutMs: 1_000, lingerMs: 5_000, ...options };
    const { probeMs, probeTimeoutMs } = this.#options;
    this.#channels = new ChannelTable(options.store.keys);
    this.#watch = new ProbeWatch({ everyMs: probeMs, timeoutMs: probeTimeoutMs });
    this.#inflow = new Inflow({
      fetch: async (frame) => (await options.store.readFrames([frame]))[0] ?? [],
      wants: (topic) => this.#audience.has(topic),
      onBatch: (live) => this.#dispatch(live),
      onSkip: (last) => this.#ring.clear(last),
      onProbe: (probe) => this.#applyProbe(probe),
      onBreak: (why, error) => this.#break({ link: false, why, error }),
    });
  }

  /** Up to here nothing is missing from what listeners were given. */
  get proven(): Id {
    return this.#proven;
  }

  /**
   * Makes the channels of a filter live; {@link release} gives them back.
   *
   * @throws RedisFailure where Redis cannot be reached, or the signal's reason
   */
  async acquire(filter: TopicFilter, signal: AbortSignal): Promise<void> {
    this.#channels.want(filter);
    this.#wake();
    try {
      // a link that was just lost fails the attempt under way; only the next one tells whether Redis is away
      await this.ready(filter, signal).catch(() => this.ready(filter, signal));
    } catch (error) {
      this.release(filter);
      throw error;
    }
  }

  /** Gives back what {@link acquire} took. */
  release(filter: TopicFilter): void {
    this.#channels.unwant(filter);
  }

  /**
   * Waits until the channels of a filter are live.
   *
   * @throws the failure of the attempt under way, or the signal's reason
   */
  async ready(filter: TopicFilter, signal: AbortSignal): Promise<void> {
    while (!this.#channels.isLive(filter)) {
      signal.throwIfAborted();
      await abortable(this.#settled.promise, signal);
    }
  }

  /**
   * Adds a listener at a cursor, which was found good under `generation`.
   *
   * @returns what came after the cursor, the first batch perhaps with messages up to it; undefined where the feed cannot
   * tell, so that the log must be read first
   */
  join(
    listener: FeedListener,
    { cursor, generation }: { cursor: Id; generation: number },
  ): readonly LiveBatch[] | undefined {
    const { filter } = listener;
    if (generation !== this.#generation || !this.#channels.isLive(filter)) return undefined;
    if (compareIds(cursor, this.#ring.floor) < 0) return undefined;
    if (compareIds(cursor, this.#channels.since(filter)) < 0) return undefined;
    this.#audience.add(listener);
    return this.#ring.after(cursor).filter(({ topic }) => filter.matches(topic));
  }

  /** Removes a listener. */
  leave(listener: FeedListener): void {
    this.#audience.remove(listener);
  }

  /** Stops, and closes the link. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake();
    await this.#task;
    await this.#link?.close();
    await Promise.all(this.#closing);
    this.#settled.promise.catch(() => {});
    this.#settled.reject(this.#stop.signal.reason);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#task ??= this.#maintain();
  }

  async #maintain(): Promise<void> {
    const { signal } = this.#stop;
    let failures = 0;
    while (!signal.aborted) {
      this.#changed = Promise.withResolvers();
      try {
        await this.#step();
        failures = 0;
      } catch (error) {
        if (signal.aborted) break;
        this.#break({ link: true, why: "the feed's link failed", error });
        this.#channels.prune();
        this.#settle(error);
        await pause(Math.min(50 * 2 ** failures++, 1_000) * (0.5 + Math.random()), signal);
        continue;
      }
      if (this.#channels.missing().length > 0) continue;
      await this.#untilNextStep(signal);
    }
  }

  async #step(): Promise<void> {
    this.#link ??= await this.#connect();
    const missing = this.#channels.missing();
    if (missing.length > 0) await this.#goLive(missing.slice(0, CHANNELS_A_STEP));
    await this.#dropIdle();
    await this.#sendProbe();
  }

  async #connect(): Promise<FeedLink> {
    const { openLink, store, processId } = this.#options;
    const number = ++this.#linkNumber;
    const link = await openLink({
      onMessage: (channel, payload) => {
        if (number === this.#linkNumber) this.#receive(channel, payload);
      },
      onClose: () => {
        if (number !== this.#linkNumber) return;
        this.#break({ link: true, why: "the feed's link was closed" });
        this.#wake();
      },
    });
    try {
      await link.subscribe([store.keys.probe(processId)]);
    } catch (error) {
      await link.close();
      throw error;
    }
    this.#watch.restart();
    return link;
  }

  async #goLive(missing: readonly ChannelEntry[]): Promise<void> {
    const epoch = this.#epoch;
    const fresh = missing.map(({ channel }) => channel).filter((channel) => !channel.subscribed);
    if (fresh.length > 0) await this.#link?.subscribe(fresh.map((channel) => channel.name));
    if (epoch !== this.#epoch) return;
    for (const channel of fresh) channel.subscribed = true;
    const topics = missing.flatMap(({ topic }) => topic === undefined ? [] : [topic]);
    const tail = await this.#options.store.position({ topics });
    if (epoch !== this.#epoch) return;
    this.#reignOf(tail);
    let i = 0;
    for (const { topic, channel } of missing) {
      channel.start(topic === undefined ? tail.clock : tail.topics[i++]?.last ?? tail.purged);
    }
    this.#settle();
  }

  #reignOf(tail: Position): void {
    if (this.#generation !== 0 && tail.generation !== this.#generation) {
      this.#break({ link: false, why: "another generation reigns" });
    }
    this.#generation = tail.generation;
  }

  async #dropIdle(): Promise<void> {
    const idle = this.#channels.idle(performance.now() - this.#options.lingerMs);
    const { everything } = this.#channels;
    const needed = idle.includes(everything) ? this.#channels.servedByEverything() : [];
    if (needed.length > 0) return await this.#goLive(needed.slice(0, CHANNELS_A_STEP));
    if (idle.length === 0) return this.#channels.prune();
    // at once, before anything is waited for: nobody may join a channel that is about to go
    for (const channel of idle) channel.reset({ link: true });
    await this.#link?.unsubscribe(idle.map((channel) => channel.name));
    // frames that came until then would look like the last one before those of the next subscription
    for (const channel of idle) channel.reset({ link: true });
    this.#channels.prune();
  }

  async #sendProbe(): Promise<void> {
    const { store, processId } = this.#options;
    const number = this.#watch.next();
    if (number === undefined) return;
    const position = await store.probe({ channel: store.keys.probe(processId), number });
    this.#watch.sent();
    this.#reignOf(position);
  }

  async #untilNextStep(signal: AbortSignal): Promise<void> {
    const timer = new AbortController();
    await Promise.race([
      this.#changed.promise,
      pause(this.#watch.waitMs, AbortSignal.any([signal, timer.signal])),
    ]);
    timer.abort();
    if (this.#watch.isDead) this.#break({ link: true, why: "a probe did not come back" });
  }

  #settle(error?: unknown): void {
    const settled = this.#settled;
    this.#settled = Promise.withResolvers();
    if (error === undefined) return settled.resolve();
    settled.promise.catch(() => {});
    settled.reject(error);
  }

  #break({ link, why, error }: { link: boolean; why: string; error?: unknown }): void {
    this.#epoch++;
    this.#options.log.info("feed broke", { why, error });
    if (link) {
      this.#retire(this.#link);
      this.#link = undefined;
      this.#linkNumber++;
      this.#generation = 0;
    }
    this.#channels.reset({ link });
    this.#ring.clear(ZERO);
    this.#inflow.reset();
    this.#proven = ZERO;
    const listeners = this.#audience.all();
    for (const listener of listeners) this.#audience.remove(listener);
    for (const listener of listeners) listener.onBreak();
    this.#changed.resolve();
  }

  #retire(link: FeedLink | undefined): void {
    if (link === undefined) return;
    const closed = link.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #receive(channel: string, payload: string): void {
    this.#watch.heard();
    const frame = this.#read(payload);
    if (frame === undefined) return;
    if (frame.kind === "ephemeral") return this.#tellEphemeral(channel, payload, frame);
    if (frame.kind === "frame") {
      if (!this.#reigns(frame)) return;
      if (!this.#follow(channel, frame)) {
        return this.#break({ link: false, why: "a frame is missing" });
      }
      // it comes on the partition's channel too, where it is known whether one of another topic is missing before it
      const { everything } = this.#channels;
      if (everything.live && channel !== everything.name) return;
    }
    this.#inflow.push(frame);
  }

  #reigns({ first }: Frame): boolean {
    const generation = generationOf(first);
    if (this.#generation === 0 || generation === this.#generation) return true;
    this.#break({ link: false, why: "another generation reigns" });
    // what comes next is of the same: were each frame a break, the tail would never be read between two of them
    this.#generation = generation;
    return false;
  }

  #read(payload: string): Frame | EphemeralFrame | Probe | undefined {
    try {
      return readFrame(payload);
    } catch (error) {
      this.#options.log.warn("a foreign message came on Runnel's channels", { error });
      return undefined;
    }
  }

  #follow(name: string, frame: Frame): boolean {
    const { topic, last, logPrevious, topicPrevious } = frame;
    const { everything } = this.#channels;
    if (name === everything.name) return everything.follow({ previous: logPrevious, last });
    return this.#channels.named(topic)?.follow({ previous: topicPrevious, last }) ?? true;
  }

  #dispatch(live: LiveBatch): void {
    this.#ring.push(live);
    this.#audience.forEach(live.topic, (listener) => listener.onBatch(live));
  }

  #applyProbe(probe: Probe): void {
    if (this.#generation !== 0 && probe.generation !== this.#generation) {
      return this.#break({ link: false, why: "another generation reigns" });
    }
    const { live, last } = this.#channels.everything;
    if (live && compareIds(last, probe.clock) < 0) {
      return this.#break({ link: false, why: "a frame is missing" });
    }
    this.#proven = latestId(this.#proven, probe.clock);
    this.#watch.received(probe.number);
  }

  // a process that is switching channels gets a message on both
  #tellEphemeral(channel: string, payload: string, frame: EphemeralFrame): void {
    const { everything } = this.#channels;
    const fromAll = channel === everything.name;
    if (!fromAll && everything.subscribed) return;
    if (fromAll && payload === this.#lastEphemeral) {
      this.#lastEphemeral = "";
      return;
    }
    this.#lastEphemeral = fromAll ? "" : payload;
    this.#audience.forEach(frame.topic, (listener) => listener.onEphemeral(frame.message));
  }
}
