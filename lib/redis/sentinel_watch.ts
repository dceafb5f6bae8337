import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";
import { tolerateLateErrors } from "./late_errors.ts";
import type { Endpoint, RedisOptions } from "./options.ts";

/** What a {@link SentinelWatch} tells. */
export interface SentinelEvents {
  /** There is another primary than before. */
  onSwitch(): void;
}

/** Between signs of life that are asked of a Sentinel, in milliseconds. */
const PING_MS = 2_000;
const PAUSE_MS = 250;

/**
 * Listens to one of the Sentinels, and to the next where that one goes away, so that a failover is noticed at once and not
 * when the dead primary's links run into their timeouts.
 */
export class SentinelWatch implements AsyncDisposable {
  readonly #options: RedisOptions;
  readonly #endpoints: readonly Endpoint[];
  readonly #master: string;
  readonly #events: SentinelEvents;
  readonly #stop = new AbortController();
  #known: string | undefined;
  #work: Promise<void> | undefined;

  constructor(options: RedisOptions, events: SentinelEvents) {
    const { endpoints = [], master = "" } = options.address.sentinel ?? {};
    this.#options = options;
    this.#endpoints = endpoints;
    this.#master = master;
    this.#events = events;
  }

  /** Begins to listen; calls after the first do nothing. */
  start(): void {
    this.#work ??= this.#run();
  }

  /** Stops; resolves when no connection is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#work;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    for (let i = 0; !signal.aborted; i++) {
      const endpoint = this.#endpoints[i % this.#endpoints.length];
      // whichever way it ends, the next one is asked
      if (endpoint !== undefined) await this.#listen(endpoint).catch(() => {});
      await pause(PAUSE_MS, undefined, { signal }).catch(() => {});
    }
  }

  async #listen({ host, port }: Endpoint): Promise<void> {
    const { connectTimeoutMs, commandTimeoutMs, sentinel = {} } = this.#options;
    const { username, password, tls } = sentinel;
    const client = new Redis({
      host,
      port,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(tls === undefined ? {} : { tls: { ...tls } }),
      lazyConnect: true,
      connectTimeout: connectTimeoutMs,
      commandTimeout: commandTimeoutMs,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      autoResubscribe: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
    });
    client.on("error", () => {});
    tolerateLateErrors(client);
    const ended = new Promise<void>((resolve) => client.once("end", () => resolve()));
    const leave = () => client.disconnect();
    this.#stop.signal.addEventListener("abort", leave, { once: true });
    client.on("message", (_channel: string, text: string) => this.#take(text));
    try {
      await client.connect();
      await client.subscribe("+switch-master");
      // what happened before it listened it must ask for
      this.#learn(await client.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", this.#master));
      while (client.status === "ready") {
        await Promise.race([ended, pause(PING_MS)]);
        if (client.status === "ready") await client.ping();
      }
    } finally {
      this.#stop.signal.removeEventListener("abort", leave);
      client.disconnect();
      if (client.status !== "end") await ended;
    }
  }

  /** `<master> <old host> <old port> <new host> <new port>` */
  #take(text: string): void {
    const [master, , , host, port] = text.split(" ");
    if (master === this.#master) this.#learn([host, port]);
  }

  #learn(reply: unknown): void {
    if (!Array.isArray(reply)) return;
    const primary = reply.join(" ");
    const before = this.#known;
    this.#known = primary;
    if (before !== undefined && before !== primary) this.#events.onSwitch();
  }
}
