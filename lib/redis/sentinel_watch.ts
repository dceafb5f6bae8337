import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { clientOptions } from "./connection.ts";
import { RedisFailure, toRedisFailure } from "./failure.ts";
import { tolerateLateErrors } from "./late_errors.ts";
import { type Endpoint, isSameEndpoint, type RedisOptions, sentinelOptionsAt } from "./options.ts";
import { isConfirmed, pollSentinels } from "./sentinel_poll.ts";
import { viewSentinel } from "./sentinel_view.ts";

/** What a {@link SentinelWatch} tells. */
export interface SentinelEvents {
  /** The primary is this one, or another one by now. */
  onPrimary(endpoint: Endpoint): void;
  /** A Sentinel could not be asked; the next one is. */
  onFailure(failure: unknown): void;
}

/** Options of {@link SentinelWatch}. */
export interface SentinelWatchOptions {
  /**
   * How long most Sentinels must know less than was known until they are heard, in milliseconds: after a failover they
   * take some seconds to tell each other. @default 10000
   */
  readonly settleMs?: number;
}

/** Between signs of life that are asked of a Sentinel, in milliseconds. */
const PING_MS = 2_000;
const PAUSE_MS = 250;

/**
 * Listens to one of the Sentinels, and to the next where that one goes away, so that a failover is noticed at once and not
 * when the dead primary's links run into their timeouts. A Sentinel that was cut off names an older primary: what has a
 * lower epoch than what is known is not heard, unless most of them go on to say so: then they were set up anew, and count
 * from 0.
 */
export class SentinelWatch implements AsyncDisposable {
  readonly #options: RedisOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly #master: string;
  readonly #events: SentinelEvents;
  readonly #stop = new AbortController();
  #leave: (() => void) | undefined;
  #epoch = -1;
  #primary: Endpoint | undefined;
  /** What Sentinels that knew less than was known have said since one last knew as much. */
  readonly #older = new Map<Endpoint, { readonly epoch: number; readonly primary: Endpoint }>();
  readonly #settleMs: number;
  #olderSince = 0;
  #work: Promise<void> | undefined;

  constructor(
    options: RedisOptions,
    events: SentinelEvents,
    { settleMs = 10_000 }: SentinelWatchOptions = {},
  ) {
    const { endpoints = [], master = "" } = options.address.sentinel ?? {};
    this.#options = options;
    this.#endpoints = endpoints;
    this.#master = master;
    this.#events = events;
    this.#settleMs = settleMs;
  }

  /** Begins to listen; calls after the first do nothing. */
  start(): void {
    this.#work ??= this.#run();
  }

  /** The primary is not what it should be: perhaps another Sentinel knows more. */
  doubt(): void {
    this.#leave?.();
  }

  /**
   * Whether the Sentinels stand by a primary that was told of. One that was replaced and starts again takes itself for the
   * primary until they tell it otherwise; and while they replace it, most of them do not know that yet.
   */
  async confirm(primary: Endpoint): Promise<boolean> {
    const epoch = this.#epoch;
    const views = await pollSentinels(this.#options, this.#stop.signal);
    return isConfirmed(views, { epoch, primary });
  }

  /** Stops; resolves when no connection is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#leave?.();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let i = 0; !signal.aborted; i++) {
      const endpoint = this.#endpoints[i % this.#endpoints.length];
      if (endpoint === undefined) return;
      try {
        await this.#listen(endpoint);
      } catch (error) {
        if (!signal.aborted) this.#fail(error, endpoint);
      }
      await pause(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  #fail(error: unknown, { host, port }: Endpoint): void {
    this.#events.onFailure(error);
    const { guard, sentinel: { username, tls } = {} } = this.#options;
    if (!(error instanceof RedisFailure) || error.code !== "redis_forbidden") return;
    const user = username === undefined ? {} : { username };
    const address = { host, port, tls: tls !== undefined, db: 0, ...user };
    // it runs no scripts
    guard?.heed(error, { address, sharded: false, ask: () => Promise.reject(error) });
  }

  async #listen(endpoint: Endpoint): Promise<void> {
    const client = this.#open(endpoint);
    const over = new AbortController();
    const ended = new Promise<void>((resolve) =>
      client.once("end", () => {
        over.abort();
        resolve();
      })
    );
    let left = false;
    let reason: unknown;
    client.on("error", (error) => reason = error);
    this.#leave = () => {
      // each time it would start a timer that nobody stops
      if (!left && client.status !== "end") client.disconnect();
      left = true;
    };
    const ask = () => this.#ask(client, endpoint);
    client.on("message", () => ask().catch(() => this.#leave?.()));
    try {
      await client.connect();
      await client.subscribe("+switch-master");
      // what happened before it listened it must ask for
      await ask();
      while (!over.signal.aborted) {
        await pause(PING_MS, undefined, { signal: over.signal });
        await client.ping();
      }
    } catch (error) {
      if (!left) throw toRedisFailure(reason ?? error, false);
    } finally {
      this.#leave();
      this.#leave = undefined;
      if (client.status !== "end") await ended;
    }
  }

  #open(endpoint: Endpoint): Redis {
    const client = new Redis({
      ...clientOptions(sentinelOptionsAt(this.#options, endpoint)),
      retryStrategy: () => null,
    });
    tolerateLateErrors(client);
    return client;
  }

  async #ask(client: Redis, asked: Endpoint): Promise<void> {
    const { epoch, primary, isReplaced } = await viewSentinel(client, this.#master);
    if (primary.host === "") return;
    // the Sentinel that leads a failover names the old one until all replicas follow the new one
    if (epoch === this.#epoch && isReplaced && !isSameEndpoint(primary, this.#primary)) return;
    if (epoch >= this.#epoch) return this.#take({ epoch, primary });
    if (this.#older.size === 0) this.#olderSince = performance.now();
    this.#older.set(asked, { epoch, primary });
    const detail = "A Sentinel names a primary that is older than the one that is known";
    this.#events.onFailure(new RedisFailure("stale_primary", detail, { outcome: "refused" }));
    const hasSettled = performance.now() - this.#olderSince >= this.#settleMs;
    if (!hasSettled || this.#older.size <= this.#endpoints.length / 2) return;
    const [newest] = [...this.#older.values()].sort((a, b) => b.epoch - a.epoch);
    if (newest !== undefined) this.#take(newest);
  }

  #take({ epoch, primary }: { epoch: number; primary: Endpoint }): void {
    this.#epoch = epoch;
    this.#primary = primary;
    this.#older.clear();
    this.#events.onPrimary(primary);
  }
}
