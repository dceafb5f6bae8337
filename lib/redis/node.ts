import type { Redis } from "ioredis";
import { Connection } from "./connection.ts";
import { RedisFailure, toRedisFailure } from "./failure.ts";
import type { CloseOptions, FeedLink, FeedLinkEvents } from "./feed_link.ts";
import { FeedSocket } from "./feed_socket.ts";
import type { GuardedNode, RedisOptions } from "./options.ts";
import { PrimaryCheck } from "./primary_check.ts";
import {
  type ReplicatedCall,
  type ReplicatedReply,
  ReplicatedWrites,
} from "./replicated_writes.ts";
import { SharedFeed } from "./shared_feed.ts";
import type { Site } from "./site.ts";

/** What is special about a node. */
export interface NodeOptions {
  /** Whether it is one of a Cluster. @default false */
  readonly sharded?: boolean;
  /** Whether those who elected it stand by it as the primary. @default nobody elects it */
  readonly confirm?: () => Promise<boolean>;
}

/**
 * One Redis and this process's links to it: a connection for the write lanes, the rest of the pool for everything else,
 * and one for all feeds. The write lanes have their own so that a long page of history never stands before a publish.
 */
export class RedisNode implements Site, AsyncDisposable {
  readonly sharded: boolean;
  readonly elected: boolean;
  readonly #options: RedisOptions;
  readonly #lane: Connection;
  readonly #readers: Connection[];
  readonly #replicated = new Map<number, ReplicatedWrites>();
  readonly #feed: SharedFeed;
  readonly #check: PrimaryCheck;
  #next = 0;
  #isAdmitted = false;
  #admitting: Promise<void> | undefined;

  constructor(options: RedisOptions, { sharded = false, confirm }: NodeOptions = {}) {
    this.sharded = sharded;
    this.elected = confirm !== undefined;
    this.#options = options;
    this.#lane = new Connection(options);
    this.#readers = Array.from(
      { length: Math.max(options.connections - 1, 0) },
      () => new Connection(options),
    );
    this.#check = new PrimaryCheck({
      run: (work) => this.#lane.run(work),
      // a call can have been made for one that is elected, and have been sent on
      confirm: confirm ?? (() => Promise.resolve(true)),
    });
    this.#feed = new SharedFeed(async (events) => {
      const socket = await FeedSocket.open(options, events, { sharded });
      return new HeededLink(socket, (error) => this.#heed(error));
    });
  }

  get db(): number {
    return this.#options.address.db;
  }

  async run<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const reader = this.#readers[this.#next++ % Math.max(this.#readers.length, 1)] ?? this.#lane;
    try {
      return await this.#guarded(() => reader.run(work));
    } catch (error) {
      // links die together: one by one, each would cost whoever gets it the whole time that a command may take
      const isSilent = error instanceof RedisFailure && error.code === "redis_timeout";
      if (isSilent) { for (const other of this.#readers) other.doubt(); }
      throw error;
    }
  }

  write<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    return this.#guarded(() => this.#lane.run(work));
  }

  resetLane(): void {
    this.#lane.reset();
  }

  writeReplicated(call: ReplicatedCall): Promise<ReplicatedReply> {
    let writes = this.#replicated.get(call.replicas);
    if (writes === undefined) {
      writes = new ReplicatedWrites(this.#options, call.replicas);
      this.#replicated.set(call.replicas, writes);
    }
    const own = writes;
    return this.#guarded(() => own.write(call));
  }

  resetReplicated(replicas: number): void {
    this.#replicated.get(replicas)?.reset();
  }

  openFeedLink(events: FeedLinkEvents): Promise<FeedLink> {
    return this.#feed.open(events);
  }

  /** Whether those who elected it, where somebody did, stand by it as the primary. */
  isConfirmed(): Promise<boolean> {
    return this.#check.isConfirmed();
  }

  async #guarded<T>(call: () => Promise<T>): Promise<T> {
    try {
      if (!this.#isAdmitted) await this.#admit();
      return await this.#check.pass(call);
    } catch (error) {
      this.#heed(error);
      throw error;
    }
  }

  async #admit(): Promise<void> {
    this.#admitting ??= this.#askGuard().finally(() => this.#admitting = undefined);
    await this.#admitting;
  }

  async #askGuard(): Promise<void> {
    try {
      await this.#options.guard?.admit(this.#asGuarded());
    } catch (error) {
      const { code, message, cause } = toRedisFailure(error, true);
      throw new RedisFailure(code, message, { outcome: "unsent", cause });
    }
    this.#isAdmitted = true;
  }

  #heed(error: unknown): void {
    if (!(error instanceof RedisFailure) || error.code !== "redis_forbidden") return;
    // a rule was taken away: what it stopped half-way is not to happen again
    this.#isAdmitted = false;
    this.#options.guard?.heed(error, this.#asGuarded());
  }

  #asGuarded(): GuardedNode {
    const { sharded } = this;
    return { address: this.#options.address, sharded, ask: (work) => this.#lane.run(work) };
  }

  /** Closes every connection; the feeds lose their links. */
  async [Symbol.asyncDispose](): Promise<void> {
    const all = [this.#lane, ...this.#readers, ...this.#replicated.values()];
    await Promise.all(all.map((connection) => connection[Symbol.asyncDispose]()));
    await this.#check[Symbol.asyncDispose]();
    await this.#feed[Symbol.asyncDispose]();
  }
}

/** A link whose failures are looked at. */
class HeededLink implements FeedLink {
  readonly #link: FeedLink;
  readonly #onFailure: (error: unknown) => void;

  constructor(link: FeedLink, onFailure: (error: unknown) => void) {
    this.#link = link;
    this.#onFailure = onFailure;
  }

  subscribe(channels: readonly string[]): Promise<void> {
    return this.#heeding(this.#link.subscribe(channels));
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    return this.#heeding(this.#link.unsubscribe(channels));
  }

  close(options?: CloseOptions): Promise<void> {
    return this.#link.close(options);
  }

  async #heeding(call: Promise<void>): Promise<void> {
    try {
      await call;
    } catch (error) {
      this.#onFailure(error);
      throw error;
    }
  }
}
