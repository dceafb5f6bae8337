import { describeRedisAddress } from "./address.ts";
import { RedisFailure, toRedisFailure } from "./failure.ts";
import { RedisNode } from "./node.ts";
import { type Endpoint, isSameEndpoint, optionsAt, type RedisOptions } from "./options.ts";
import { SentinelWatch } from "./sentinel_watch.ts";
import type { Shard } from "./shard.ts";

/** Least time between two looks for another primary because one is not as it should be, in milliseconds. */
const DOUBT_MS = 500;

/** What makes a primary doubtful: it is away, or it is one no more. */
const DOUBTFUL: ReadonlySet<string> = new Set([
  "redis_unavailable",
  "redis_timeout",
  "redis_readonly",
  "redis_loading",
  "stale_primary",
  "primary_unconfirmed",
]);

/** A shard that is the primary that Sentinels name. */
export class SentinelShard implements Shard {
  readonly url: string;
  readonly db: number;
  readonly sharded = false;
  readonly elected = true;
  readonly #options: RedisOptions;
  readonly #watch: SentinelWatch;
  readonly #closing = new Set<Promise<void>>();
  readonly #waiters = new Set<() => void>();
  #primary: { readonly endpoint: Endpoint; readonly node: RedisNode } | undefined;
  #failure: unknown;
  #doubtedAt = -Infinity;

  constructor(options: RedisOptions) {
    this.url = describeRedisAddress(options.address);
    this.db = options.address.db;
    this.#options = options;
    this.#watch = new SentinelWatch(options, {
      onPrimary: (endpoint) => this.#follow(endpoint),
      onFailure: (failure) => this.#failure = failure,
    });
  }

  async nodeOf(): Promise<RedisNode> {
    this.#watch.start();
    if (this.#primary === undefined) await this.#found();
    if (this.#primary !== undefined) return this.#primary.node;
    const failure = toRedisFailure(this.#failure ?? new Error("connect ETIMEDOUT"), false);
    const detail = `No Sentinel tells which Redis is the primary: ${failure.message}`;
    throw new RedisFailure(failure.code, detail, { outcome: "unsent", cause: failure.cause });
  }

  heed({ code }: RedisFailure, node = this.#primary?.node): void {
    // calls to the primary before fail because it was left; where none is known, one is being looked for
    if (node === undefined || node !== this.#primary?.node) return;
    if (!DOUBTFUL.has(code) || performance.now() - this.#doubtedAt < DOUBT_MS) return;
    this.#doubtedAt = performance.now();
    this.#watch.doubt();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watch[Symbol.asyncDispose]();
    this.#leave();
    for (const wake of this.#waiters) wake();
    await Promise.all(this.#closing);
  }

  #follow(endpoint: Endpoint): void {
    if (isSameEndpoint(endpoint, this.#primary?.endpoint)) return;
    this.#leave();
    const confirm = () => this.#watch.confirm(endpoint);
    const node = new RedisNode(optionsAt(this.#options, endpoint), { confirm });
    this.#primary = { endpoint, node };
    for (const wake of this.#waiters) wake();
  }

  #leave(): void {
    const { node } = this.#primary ?? {};
    this.#primary = undefined;
    if (node === undefined) return;
    const closed = node[Symbol.asyncDispose]().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  /** Waits until a primary is known, as long as for a connection. */
  #found(): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        this.#waiters.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, this.#options.connectTimeoutMs);
      this.#waiters.add(wake);
    });
  }
}
