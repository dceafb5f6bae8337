import { type Closed, shuttingDown } from "./closed.ts";
import { compareIds, type Id, latestId, ZERO } from "../codec/id.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { type FeedBreak, Metrics } from "../metrics/metrics.ts";
import type { FeedLink, FeedLinkEvents } from "../redis/feed_link.ts";
import type { StoredMessage } from "../codec/message.ts";
import type { Probe } from "../redis/frame.ts";
import type { Position } from "../redis/position.ts";
import type { PartitionStore } from "../redis/store.ts";
import { Attempt } from "./attempt.ts";
import { Audience } from "./audience.ts";
import { ChannelTable } from "./channel_table.ts";
import { ChannelUpkeep } from "./channel_upkeep.ts";
import { FeedLine } from "./feed_line.ts";
import { Inbox, type InboxListener } from "./inbox.ts";
import { Inflow } from "./inflow.ts";
import { Intake } from "./intake.ts";
import { ProbeWatch } from "./probe_watch.ts";
import { type LiveBatch, Ring } from "./ring.ts";
import { SerialTask } from "./serial_task.ts";
import type { TopicFilter } from "./topic_filter.ts";
import { abortable } from "./wait.ts";
import { type FeedWatcher, Watchers } from "./watchers.ts";

/** How long a feed that cannot be had says no more of it, in milliseconds. */
const TELL_MS = 30_000;

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
  /** What is counted of its work. @default metrics of its own */
  readonly metrics?: Metrics;
  /** Why it cannot be used after the end. @default `shutting_down` */
  readonly closed?: Closed;
}

/** How old the proof may be that the feed is alive, in milliseconds. */
const FRESH_MS = 1_000;

/** What a break is counted as, by why it was. */
const BREAKS: Readonly<Record<string, FeedBreak>> = {
  "the partition has moved": "moved",
  "the feed's link was closed": "closed",
  "the feed's link failed": "failed",
  "a probe did not come back": "silent",
  "another generation reigns": "generation",
  "a frame is missing": "missing",
  "a frame was trimmed before it was read": "missing",
  "a frame's messages are out of reach": "missing",
  "too many frames wait": "overrun",
};

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
  readonly #watchers = new Watchers();
  readonly #inbox = new Inbox();
  readonly #intake: Intake;
  readonly #line: FeedLine;
  readonly #upkeep: ChannelUpkeep;
  readonly #attempt = new Attempt();
  readonly #task: SerialTask;
  #proven: Id = ZERO;
  #proof = Promise.withResolvers<void>();
  #toldAt = -Infinity;

  constructor(options: FeedOptions) {
    this.#options = {
      probeMs: 4_000,
      probeTimeoutMs: 1_000,
      lingerMs: 5_000,
      closed: shuttingDown,
      metrics: new Metrics(),
      ...options,
    };
    const { probeMs, probeTimeoutMs, openLink, log, processId } = this.#options;
    const { keys } = options.store;
    this.#channels = new ChannelTable(keys);
    this.#watch = new ProbeWatch({ everyMs: probeMs, timeoutMs: probeTimeoutMs });
    this.#inflow = new Inflow({
      fetch: async (frame) => (await options.store.readFrames([frame]))[0] ?? [],
      wants: (topic) => this.#audience.has(topic),
      onBatch: (live) => this.#dispatch(live),
      onSkip: (last) => this.#ring.clear(last),
      onProbe: (probe) => this.#applyProbe(probe),
      onBreak: (why, error) => this.#break({ link: false, why, error }),
    });
    this.#intake = new Intake({
      channels: this.#channels,
      watchers: this.#watchers,
      inbox: this.#inbox,
      log,
      onNext: (next) => this.#inflow.push(next),
      onEphemeral: ({ topic, message }) =>
        this.#audience.forEach(topic, (listener) => listener.onEphemeral(message)),
      onBreak: (why) => this.#break({ link: false, why }),
      onMoved: () => this.#break({ link: true, why: "the partition has moved" }),
    });
    this.#line = new FeedLine({
      openLink,
      channels: [keys.probe(processId), keys.control],
      onMessage: (channel, payload) => {
        this.#watch.heard();
        this.#intake.receive(channel, payload);
      },
      onClose: () => {
        this.#break({ link: true, why: "the feed's link was closed" });
        this.#task.wake();
      },
    });
    this.#upkeep = new ChannelUpkeep({
      channels: this.#channels,
      line: this.#line,
      lingerMs: this.#options.lingerMs,
      position: (topics) => options.store.position({ topics }),
      onTail: (tail) => this.#reignOf(tail),
      onLive: () => this.#attempt.succeed(),
    });
    this.#task = new SerialTask({
      step: () => this.#step(),
      onFailure: (error) => this.#fail(error),
      waitMs: () => this.#watch.waitMs,
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
    this.#task.wake();
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
      await abortable(this.#attempt.end, signal);
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
    if (generation !== this.#intake.generation || !this.#channels.isLive(filter)) return undefined;
    if (compareIds(cursor, this.#ring.floor) < 0) return undefined;
    if (compareIds(cursor, this.#channels.since(filter)) < 0) return undefined;
    this.#audience.add(listener);
    return this.#ring.after(cursor).filter(({ topic }) => filter.matches(topic));
  }

  /** Removes a listener. */
  leave(listener: FeedListener): void {
    this.#audience.remove(listener);
  }

  /**
   * Tells a watcher of each frame and each wake-up of its topics, from now on until the next break or until the returned
   * function is called. Its filter must have been acquired and be ready; where it no longer is, the watcher gets a break
   * in the next turn. Nothing says what happened before: whoever watches looks once **after** it began to watch.
   */
  watch(watcher: FeedWatcher): () => void {
    if (this.#channels.isLive(watcher.filter)) return this.#watchers.add(watcher);
    let left = false;
    queueMicrotask(() => {
      if (!left) watcher.onBreak();
    });
    return () => left = true;
  }

  /**
   * Tells a listener what comes on this process's own channel and on the control channel, until the returned function is
   * called, and has a link from now on. {@link online} says when they are subscribed.
   */
  attend(listener: InboxListener): () => void {
    const leave = this.#inbox.add(listener);
    this.#task.wake();
    return leave;
  }

  /**
   * Waits until the process's own channel and the control channel are subscribed on the present link.
   *
   * @throws RedisFailure where Redis cannot be reached, or the signal's reason
   */
  async online(signal: AbortSignal): Promise<void> {
    if (this.#line.isUp) return;
    this.#task.wake();
    const next = () => abortable(this.#attempt.end, signal);
    // as in acquire(): the attempt under way may fail with the link of before
    while (!this.#line.isUp) await next().catch(next);
  }

  /**
   * Waits until it is proved that what is published now comes on the feed: a probe came back a moment ago, or the next one
   * does. Where a link carries so much that its probe takes longer, what it carries is the proof.
   *
   * @throws the signal's reason
   */
  async prove(signal: AbortSignal): Promise<void> {
    if (this.#watch.provedWithin(FRESH_MS)) return;
    this.#watch.demand();
    this.#task.wake();
    try {
      await abortable(this.#proof.promise, signal);
    } catch (error) {
      if (!this.#watch.heardWithin(FRESH_MS)) throw error;
    }
  }

  /** Stops, and closes the link. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#task[Symbol.asyncDispose]();
    await this.#line[Symbol.asyncDispose]();
    this.#attempt.giveUp(this.#options.closed());
  }

  async #step(): Promise<boolean> {
    const isDead = this.#line.isUp && this.#watch.isDead;
    if (isDead) this.#break({ link: true, dead: true, why: "a probe did not come back" });
    if (await this.#line.connect()) {
      this.#watch.restart();
      this.#attempt.succeed();
      this.#inbox.online();
    }
    await this.#upkeep.step();
    await this.#sendProbe();
    return this.#channels.missing(1).length > 0;
  }

  #fail(error: unknown): void {
    this.#break({ link: true, why: "the feed's link failed", error });
    this.#channels.prune();
    this.#attempt.fail(error);
  }

  #reignOf(tail: Position): void {
    const { generation } = this.#intake;
    if (generation !== 0 && tail.generation !== generation) {
      this.#break({ link: false, why: "another generation reigns" });
    }
    this.#intake.generation = tail.generation;
  }

  async #sendProbe(): Promise<void> {
    const { store, processId } = this.#options;
    const number = this.#watch.next();
    if (number === undefined) return;
    const position = await store.probe({ channel: store.keys.probe(processId), number });
    this.#watch.sent();
    this.#reignOf(position);
  }

  #break(
    { link, dead = false, why, error }: {
      link: boolean;
      dead?: boolean;
      why: string;
      error?: unknown;
    },
  ): void {
    this.#tell(why, error);
    this.#options.metrics.feedBreaks[BREAKS[why] ?? "missing"]++;
    if (link) {
      this.#line.drop({ dead });
      this.#intake.generation = 0;
    }
    this.#upkeep.reset({ link });
    this.#ring.clear(ZERO);
    this.#inflow.reset();
    this.#proven = ZERO;
    const listeners = this.#audience.all();
    for (const listener of listeners) this.#audience.remove(listener);
    for (const listener of listeners) listener.onBreak();
    this.#watchers.breakAll();
    this.#task.wake();
  }

  /** Once in a while: it breaks at every attempt for as long as Redis is away, as do those of all other partitions there. */
  #tell(why: string, error: unknown): void {
    const { log } = this.#options;
    const isNew = performance.now() - this.#toldAt >= TELL_MS;
    if (!isNew) return log.debug("feed broke", { why, error });
    this.#toldAt = performance.now();
    const reason = error instanceof RunnelError ? error.code : undefined;
    log.info("feed broke", { why, ...(reason === undefined ? { error } : { reason }) });
  }

  /** Gives on a batch; returns how many listeners got it. */
  #dispatch(live: LiveBatch): number {
    let listeners = 0;
    this.#ring.push(live);
    this.#noteDelay(live);
    this.#audience.forEach(live.topic, (listener) => {
      listeners++;
      listener.onBatch(live);
    });
    return listeners;
  }

  #noteDelay({ topic, batch: { messages } }: LiveBatch): void {
    const last = messages.at(-1);
    if (last === undefined || !this.#audience.has(topic)) return;
    const { store, metrics } = this.#options;
    // Redis's clock as it is known here may be ahead by as long as an answer takes
    metrics.deliveryTime.observe(Math.max(store.now - last.time, 0), messages.length);
  }

  #applyProbe(probe: Probe): void {
    const { generation } = this.#intake;
    if (generation !== 0 && probe.generation !== generation) {
      return this.#break({ link: false, why: "another generation reigns" });
    }
    const { live, last } = this.#channels.everything;
    if (live && compareIds(last, probe.clock) < 0) {
      return this.#break({ link: false, why: "a frame is missing" });
    }
    this.#proven = latestId(this.#proven, probe.clock);
    this.#watch.received(probe.number);
    this.#proof.resolve();
    this.#proof = Promise.withResolvers();
  }
}
