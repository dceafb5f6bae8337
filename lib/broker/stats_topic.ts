import { messageBody, type StoredMessage } from "../codec/message.ts";
import type { RedisState, Stats } from "../codec/stats.ts";
import { STATS_TOPIC } from "../codec/topic.ts";
import type { Logger } from "../log.ts";
import { HistogramWindow } from "../metrics/histogram.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Census } from "../redis/census_store.ts";
import type { Partitions } from "./partitions.ts";
import type { Survey } from "./survey.ts";
import { pause } from "./wait.ts";

/** Options of {@link StatsTopic}. */
export interface StatsTopicOptions {
  readonly partitions: Pick<Partitions, "current">;
  readonly survey: Survey;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** Names this process in what it says. */
  readonly processId: string;
  /** Between messages while somebody is subscribed, in milliseconds. @default 1000 */
  readonly everyMs?: number;
  /** Between looks whether somebody is, in milliseconds. @default 3000 */
  readonly lookMs?: number;
}

/** How long a message waits for what is to be found out for it, in milliseconds. */
const SURVEY_MS = 500;

/**
 * Says on the topic `$stats` what this process did since it said so last: every second while somebody, anywhere, is
 * subscribed to it. It is an ephemeral message, so that nothing of it is kept.
 */
export class StatsTopic implements AsyncDisposable {
  readonly #options: Required<StatsTopicOptions>;
  readonly #stop = new AbortController();
  #wake = new AbortController();
  readonly #watchers = new Set<Watcher>();
  #work: Promise<void> | undefined;
  #redis: readonly RedisState[] = [];
  #census: Census | undefined;

  constructor(options: StatsTopicOptions) {
    this.#options = { everyMs: 1_000, lookMs: 3_000, ...options };
  }

  /** Begins to look whether somebody is subscribed; calls after the first do nothing. */
  start(): void {
    if (!this.#stop.signal.aborted) this.#work ??= this.#run();
  }

  /** Notes that a subscription of this process wants it, until the returned function is called. */
  enter(give: (message: StoredMessage) => void): () => void {
    const watcher = { give };
    this.#watchers.add(watcher);
    this.#wake.abort();
    return () => void this.#watchers.delete(watcher);
  }

  /** Stops; resolves when nothing is under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#wake.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { everyMs, lookMs, log, metrics } = this.#options;
    const report = new Report(metrics);
    let isWatched = false;
    let due = performance.now() + everyMs;
    while (!this.#stop.signal.aborted) {
      const isLocal = this.#watchers.size > 0;
      const wait = isWatched || isLocal ? due - performance.now() : lookMs;
      if (!isLocal) this.#wake = new AbortController();
      await pause(Math.max(wait, 0), isLocal ? this.#stop.signal : this.#wakeOrStop());
      if (this.#stop.signal.aborted) return;
      due = performance.now() + everyMs;
      isWatched ||= this.#watchers.size > 0;
      if (isWatched) await this.#look();
      const body = this.#bodyOf(report.take({ isWatched }));
      try {
        isWatched = await this.#publish(body);
      } catch (error) {
        log.debug("stats could not be published", { error });
        this.#giveHere(body);
      }
    }
  }

  #wakeOrStop(): AbortSignal {
    if (this.#stop.signal.aborted) this.#wake.abort();
    return this.#wake.signal;
  }

  async #look(): Promise<void> {
    const { survey } = this.#options;
    const over = new AbortController();
    const looks = Promise.allSettled([
      survey.redis().then((states) => this.#redis = states),
      survey.census().then((census) => this.#census = census),
    ]);
    await Promise.race([looks, pause(SURVEY_MS, over.signal)]);
    over.abort();
  }

  #bodyOf(report: ReturnType<Report["take"]>): string {
    const census = this.#census;
    const data: Stats = {
      instance: this.#options.processId,
      time: new Date().toISOString(),
      ...report,
      redis: this.#redis,
      groups: {
        count: census?.groups ?? 0,
        lag: census?.lag ?? 0,
        pending: census?.pending ?? 0,
        dead: census?.dead ?? 0,
      },
      topics: census?.topics ?? 0,
    };
    return messageBody({ type: "stats", data });
  }

  /** Whether anybody got it. */
  async #publish(body: string): Promise<boolean> {
    const { partitions } = this.#options;
    const { store, presence } = (await partitions.current()).of(STATS_TOPIC);
    const [receivers] = await store.publishEphemeral([{ topic: STATS_TOPIC, body }]);
    if (this.#watchers.size > 0 || (receivers?.named ?? 0) > 0) return true;
    // a process with a subscription by pattern has the channel of the whole partition for all its topics
    return (receivers?.everything ?? 0) > 0 && await presence.of(STATS_TOPIC) > 0;
  }

  /** While Redis is away, those who look from here see that it is. */
  #giveHere(body: string): void {
    const message = { id: null, topic: STATS_TOPIC, time: Date.now(), body };
    for (const { give } of this.#watchers) give(message);
  }
}

/** A subscription of this process. */
interface Watcher {
  readonly give: (message: StoredMessage) => void;
}

/** What a process did between two messages. */
class Report {
  readonly #metrics: Metrics;
  readonly #publish: HistogramWindow;
  readonly #delivery: HistogramWindow;
  #at = performance.now();
  #before: Totals;
  #delay: HistogramWindow | undefined;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#publish = new HistogramWindow(metrics.publishTime);
    this.#delivery = new HistogramWindow(metrics.deliveryTime);
    this.#before = totalsOf(metrics);
  }

  take({ isWatched }: { isWatched: boolean }) {
    const [now, before] = [totalsOf(this.#metrics), this.#before];
    const at = performance.now();
    const intervalMs = Math.max(Math.round(at - this.#at), 1);
    this.#at = at;
    this.#before = now;
    // measuring begins when somebody looks, and ends some time after the last look
    const delays = isWatched ? this.#metrics.loopDelay.ask() : undefined;
    if (delays !== undefined) this.#delay ??= new HistogramWindow(delays);
    return {
      intervalMs,
      in: now.in - before.in,
      out: now.out - before.out,
      requests: now.requests - before.requests,
      refused: now.refused - before.refused,
      errors: now.errors - before.errors,
      subscribers: this.#metrics.open.subscription + this.#metrics.open.group_stream,
      publishMs: this.#publish.take(),
      deliveryMs: this.#delivery.take(),
      eventLoopMs: this.#delay?.take()?.p99 ?? 0,
    };
  }
}

interface Totals {
  readonly in: number;
  readonly out: number;
  readonly requests: number;
  readonly refused: number;
  readonly errors: number;
}

function totalsOf({ published, delivered, requests }: Metrics): Totals {
  return {
    in: published.stored + published.ephemeral,
    out: delivered.subscription + delivered.group_stream + delivered.pull,
    requests: requests.total,
    refused: requests.refused,
    errors: requests.failed,
  };
}
