import { Redis, type RedisOptions as ClientOptions } from "ioredis";
import { measureCommands } from "./command_times.ts";
import { RedisFailure, toRedisFailure } from "./failure.ts";
import { tolerateLateErrors } from "./late_errors.ts";
import type { RedisOptions } from "./options.ts";

/** How long the client waits for the other side when it hangs up, in milliseconds. */
const DISCONNECT_MS = 100;

/** What a dial may take beyond its time until it counts as failed, in milliseconds. */
const LATE_MS = 100;

/** How long a call waits for a link that has been away for longer, in milliseconds: who tries again at once must not spin. */
const AWAY_MS = 100;

/** Answers that mean that we are not let in; others, such as LOADING, tell more when a command gets them. */
const REFUSED = /^(NOAUTH|WRONGPASS)/;

/** The part of the client's options that every link to one Redis shares. */
export function clientOptions(options: RedisOptions): Omit<ClientOptions, "replyMapping"> {
  const { address, tls } = options;
  return {
    ...(address.path === undefined ? {} : { path: address.path }),
    ...(address.host === undefined ? {} : { host: address.host, port: address.port ?? 6379 }),
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(address.tls ? { tls: { ...tls } } : {}),
    db: address.db,
    lazyConnect: true,
    connectTimeout: options.connectTimeoutMs,
    commandTimeout: options.commandTimeoutMs,
    disconnectTimeout: DISCONNECT_MS,
    // nothing may be sent twice or wait unseen: whoever sends decides what a lost link means
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // an ACL user may not say it, older Redis do not know it, and nothing needs it
    disableClientInfo: true,
    // a Redis that is loading answers LOADING, which tells more than a check that never ends
    enableReadyCheck: false,
  };
}

/**
 * One command connection that comes back by itself. A command is sent once: where its reply is lost the caller gets an
 * error and decides. A command that gets no reply in time costs the connection, since the link may be half-open and a
 * late reply must not be taken for another's.
 *
 * A call waits for a link that was just lost. Where none is to be had for longer than a dial may take, calls fail soon, while
 * it goes on dialling: a call that asks several Redis would wait in vain for each that is away.
 */
export class Connection implements AsyncDisposable {
  readonly #options: RedisOptions;
  #client: Redis;
  #closing = new Set<Promise<void>>();
  #waiters = new Set<() => void>();
  #reason: unknown;
  #greeted = false;
  #downAt = performance.now();
  #dialFailed = false;
  #heardAt = performance.now();
  #closed = false;

  constructor(options: RedisOptions) {
    this.#options = options;
    if (options.metrics !== undefined) options.metrics.links.command.all++;
    this.#client = this.#open();
  }

  /**
   * Runs `work` on the connected client.
   *
   * @throws RedisFailure with what Redis or the link said
   */
  async run<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = await this.#connected();
    try {
      const result = await work(client);
      this.#heardAt = performance.now();
      return result;
    } catch (error) {
      const failure = toRedisFailure(error, true);
      if (client === this.#client) {
        if (failure.code === "redis_timeout") this.reset();
      } else if (failure.code === "redis_unavailable" && !this.#closed) {
        // the link was dropped because it was silent: that is the reason, not that it is closed
        throw new RedisFailure("redis_timeout", "Redis does not answer", failure);
      }
      throw failure;
    }
  }

  /** Drops the link and dials anew where nothing was heard on it for as long as a command may take. */
  doubt(): void {
    if (performance.now() - this.#heardAt >= this.#options.commandTimeoutMs) this.reset();
  }

  /** Drops the link and dials anew. */
  reset(): void {
    if (this.#closed) return;
    const old = this.#client;
    this.#lose();
    this.#client = this.#open();
    this.#retire(old);
  }

  /** Closes the link; commands under way fail. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { metrics } = this.#options;
    if (!this.#closed && metrics !== undefined) metrics.links.command.all--;
    this.#lose();
    this.#closed = true;
    this.#wake();
    this.#retire(this.#client);
    await Promise.all(this.#closing);
  }

  #open(): Redis {
    const client = new Redis({
      ...clientOptions(this.#options),
      retryStrategy: (times) => Math.min(25 * 2 ** Math.min(times, 4), 400),
    });
    tolerateLateErrors(client);
    if (this.#options.metrics !== undefined) {
      measureCommands(client, this.#options.metrics.commands);
    }
    client.on("error", (error) => {
      if (client !== this.#client) return;
      this.#reason = error;
    });
    client.on("ready", () => this.#greet(client));
    client.on("close", () => {
      if (client !== this.#client) return;
      if (!this.#greeted) this.#dialFailed = true;
      this.#lose();
    });
    client.connect().catch(() => {});
    return client;
  }

  /**
   * The client calls itself ready before it knows whether the password was right. Until Redis has answered once, a
   * command that fails would count as sent.
   */
  async #greet(client: Redis): Promise<void> {
    const { db } = this.#options.address;
    try {
      // the client has chosen it already, but where it may not it goes on in database 0
      await (db === 0 ? client.ping() : client.select(db));
    } catch (error) {
      const isAnswer = error instanceof Error && error.name === "ReplyError";
      const refused = isAnswer && (db !== 0 || REFUSED.test(error.message));
      // a host that is frozen takes links and says nothing
      const failed = refused || (!isAnswer && client.status === "ready");
      if (failed) {
        if (client === this.#client) this.#reason = error;
        // the password may be put right on the other side, which only a new attempt finds out
        client.disconnect(true);
      }
      if (failed || client.status !== "ready") return;
    }
    if (client !== this.#client) return;
    if (this.#options.metrics !== undefined && !this.#greeted) {
      this.#options.metrics.links.command.up++;
    }
    this.#greeted = true;
    this.#dialFailed = false;
    this.#heardAt = performance.now();
    this.#reason = undefined;
    this.#wake();
  }

  #lose(): void {
    if (!this.#greeted) return;
    this.#greeted = false;
    if (this.#options.metrics !== undefined) this.#options.metrics.links.command.up--;
    this.#downAt = performance.now();
  }

  #wake(): void {
    for (const wake of this.#waiters) wake();
    this.#waiters.clear();
  }

  #retire(client: Redis): void {
    if (client.status === "end") return;
    const ended = new Promise<void>((resolve) => {
      client.once("end", () => resolve());
      // one that waits to dial again never tells its end: it only lets a timer of its own run out
      if (client.status === "reconnecting") setTimeout(resolve, DISCONNECT_MS + 1);
    });
    this.#closing.add(ended);
    ended.then(() => this.#closing.delete(ended));
    client.disconnect();
  }

  async #connected(): Promise<Redis> {
    if (!this.#isReady() && !this.#closed) await this.#ready();
    if (this.#isReady() && !this.#closed) return this.#client;
    throw toRedisFailure(this.#reason ?? new Error("connect ETIMEDOUT"), false);
  }

  #isReady(): boolean {
    return this.#greeted && this.#client.status === "ready";
  }

  /** Whether it has been down for so long that waiting is in vain. */
  #isAway(): boolean {
    const downMs = performance.now() - this.#downAt;
    return this.#dialFailed && downMs > this.#options.connectTimeoutMs + LATE_MS;
  }

  #ready(): Promise<void> {
    const { connectTimeoutMs } = this.#options;
    const ms = this.#isAway() ? Math.min(AWAY_MS, connectTimeoutMs) : connectTimeoutMs;
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(wake);
        // one that hangs has failed
        if (!this.#greeted) this.#dialFailed = true;
        resolve();
      }, ms);
      this.#waiters.add(wake);
    });
  }
}
