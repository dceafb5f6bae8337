import type { Redis } from "ioredis";
import { setTimeout as pause } from "node:timers/promises";
import { type Detour, DetourFailure, RedisFailure, toRedisFailure } from "./failure.ts";
import type { CloseOptions, FeedLink, FeedLinkEvents } from "./feed_link.ts";
import type { RedisNode } from "./node.ts";
import type { ReplicatedCall, ReplicatedReply } from "./replicated_writes.ts";
import type { Shard } from "./shard.ts";
import type { Site } from "./site.ts";

/** Options of {@link Route}. */
export interface RouteOptions {
  /** A key of the partition, by which a Cluster places it. */
  readonly key: string;
  /** Where the partition is thought to be. */
  readonly shard: Shard;
  /**
   * Finds the shard that the partition has moved to, and opens it there.
   *
   * @throws RedisFailure
   */
  readonly follow: (detour: Detour & { readonly kind: "moved" }) => Promise<Shard>;
  /**
   * Sets the shard anew from what is stored.
   *
   * @throws RedisFailure
   */
  readonly renew: () => Promise<void>;
  /** The partition was split. */
  readonly onSplit: () => void;
}

/** How long a call waits for a partition that is being moved, in milliseconds; then its caller is told. */
const PATIENCE_MS = 1_500;
const PAUSE_MS = 10;
const WAITING: ReadonlySet<Detour["kind"]> = new Set(["wait", "unconfirmed"]);

/**
 * The way to a partition, wherever it is: it follows it from shard to shard and from node to node. Only a call that was
 * refused because the partition is elsewhere is made again.
 */
export class Route implements Site {
  readonly #options: RouteOptions;
  readonly #links = new Set<RoutedLink>();
  #shard: Shard;
  #node: RedisNode | undefined;

  constructor(options: RouteOptions) {
    this.#options = options;
    this.#shard = options.shard;
  }

  /** Where the partition is, as far as is known. */
  get shard(): Shard {
    return this.#shard;
  }

  /** It is said to be elsewhere; where that is out of date, the shard says so. */
  set shard(shard: Shard) {
    this.#shard = shard;
  }

  get db(): number {
    return this.#shard.db;
  }

  get sharded(): boolean {
    return this.#shard.sharded;
  }

  get elected(): boolean {
    return this.#shard.elected;
  }

  run<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    return this.#attempt((node) => node.run(work));
  }

  write<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    return this.#attempt((node) => node.write(work));
  }

  resetLane(): void {
    this.#node?.resetLane();
  }

  writeReplicated(call: ReplicatedCall): Promise<ReplicatedReply> {
    return this.#attempt((node) => node.writeReplicated(call));
  }

  resetReplicated(replicas: number): void {
    this.#node?.resetReplicated(replicas);
  }

  openFeedLink(events: FeedLinkEvents): Promise<FeedLink> {
    return this.#attempt(async (node) => {
      const own = new RoutedLink(events, (link) => this.#links.delete(link));
      const link = await node.openFeedLink(own);
      own.begin(link);
      this.#links.add(own);
      // the partition can have moved while the link was being opened
      if (node !== this.#node) own.abandon();
      return own;
    });
  }

  async #attempt<T>(call: (node: RedisNode) => Promise<T>): Promise<T> {
    const end = performance.now() + PATIENCE_MS;
    for (let tries = 0;; tries++) {
      let node: RedisNode | undefined;
      try {
        node = await this.#locate();
        return await call(node);
      } catch (error) {
        const failure = toRedisFailure(error, true);
        this.#shard.heed(failure, node);
        if (!(failure instanceof DetourFailure)) {
          // another node has it by now, and this one was never asked
          const isElsewhere = failure.outcome === "unsent" && node !== undefined &&
            await this.#locate() !== node;
          if (isElsewhere && performance.now() < end) continue;
          throw failure;
        }
        await this.#take(failure, tries);
        if (performance.now() >= end) throw failure;
        if (tries > 0 || WAITING.has(failure.detour.kind)) {
          await pause(PAUSE_MS * (1 + Math.random()));
        }
      }
    }
  }

  async #locate(): Promise<RedisNode> {
    const node = await this.#shard.nodeOf(this.#options.key);
    if (node !== this.#node) {
      this.#node = node;
      for (const link of [...this.#links]) link.abandon();
    }
    return node;
  }

  async #take(failure: DetourFailure, tries: number): Promise<void> {
    const { detour } = failure;
    switch (detour.kind) {
      case "split":
        this.#options.onSplit();
        throw failure;
      case "moved":
        this.#shard = await this.#options.follow(detour);
        return;
      case "coming":
        // it was here once, and is to come back: what is stored says where it is meanwhile
        if (tries === 0) await this.#options.renew();
    }
  }
}

/** A feed's link that is lost when its partition moves. */
class RoutedLink implements FeedLink, FeedLinkEvents {
  readonly #events: FeedLinkEvents;
  readonly #onOver: (link: RoutedLink) => void;
  #link: FeedLink | undefined;
  #over = false;

  constructor(events: FeedLinkEvents, onOver: (link: RoutedLink) => void) {
    this.#events = events;
    this.#onOver = onOver;
  }

  begin(link: FeedLink): void {
    this.#link = link;
  }

  /** Loses the link, since nothing of interest comes on it any more. */
  abandon(): void {
    if (this.#over) return;
    this.#link?.close().catch(() => {});
    this.onClose();
  }

  onMessage(channel: string, payload: string): void {
    if (!this.#over) this.#events.onMessage(channel, payload);
  }

  onClose(): void {
    if (this.#over) return;
    this.#over = true;
    this.#onOver(this);
    // whoever opens it must have it before it is told that it is gone
    queueMicrotask(() => this.#events.onClose());
  }

  subscribe(channels: readonly string[]): Promise<void> {
    return this.#use((link) => link.subscribe(channels));
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    return this.#use((link) => link.unsubscribe(channels));
  }

  async close(options?: CloseOptions): Promise<void> {
    this.#over = true;
    this.#onOver(this);
    await this.#link?.close(options);
  }

  async #use(work: (link: FeedLink) => Promise<void>): Promise<void> {
    if (this.#over || this.#link === undefined) {
      throw new RedisFailure("redis_unavailable", "Redis cannot be reached", { outcome: "unsent" });
    }
    await work(this.#link);
  }
}
