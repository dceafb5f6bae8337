/** One partition of a real Redis, written to and read from below the broker. */
import { parseRedisUrl } from "../../lib/redis/address.ts";
import { RedisNode } from "../../lib/redis/node.ts";
import type { RedisOptions } from "../../lib/redis/options.ts";
import { type CommitReply, type OutgoingMessage, PartitionStore } from "../../lib/redis/store.ts";
import type { Retention } from "../../lib/redis/topic_store.ts";

/** Options of {@link Partition}. */
export interface PartitionOptions {
  /** @default one of its own */
  readonly prefix?: string;
  /** @default 100,000 messages of any age */
  readonly retention?: Partial<Retention>;
  /** @default a day */
  readonly idempotencyMs?: number;
  /** Changes of the connection's options. */
  readonly redis?: Partial<RedisOptions>;
  /** Whether those who elected the primary stand by it. @default nobody elects it */
  readonly confirm?: () => Promise<boolean>;
}

/** Options of {@link Partition.commit}. */
export interface CommitOptions {
  /** @default the next one of the lane */
  readonly number?: number;
  /** @default the partition's own */
  readonly lane?: string;
  /** @default false */
  readonly atomic?: boolean;
}

/** What is to be stored by topic: bodies, or whole messages. */
export type Bodies = Readonly<Record<string, readonly (string | OutgoingMessage)[]>>;

/** The connection's options for a URL, with short timeouts. */
export function redisOptionsOf(url: string, changes: Partial<RedisOptions> = {}): RedisOptions {
  const address = parseRedisUrl(url);
  return { address, connections: 2, connectTimeoutMs: 1_000, commandTimeoutMs: 1_500, ...changes };
}

/** A store with a prefix and a write lane of its own. Disposing it closes its connections. */
export class Partition implements AsyncDisposable {
  readonly node: RedisNode;
  readonly store: PartitionStore;
  readonly prefix: string;
  readonly #url: string;
  readonly #options: PartitionOptions;
  readonly #lane = crypto.randomUUID();
  #number = 0;

  constructor(url: string, options: PartitionOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.prefix = options.prefix ?? crypto.randomUUID().slice(0, 8);
    const { confirm } = options;
    this.node = new RedisNode(redisOptionsOf(url, options.redis), confirm ? { confirm } : {});
    this.store = new PartitionStore(this.node, {
      prefix: this.prefix,
      partition: 0,
      retention: { maxMessages: 100_000, maxAgeMs: undefined, ...options.retention },
      idempotencyMs: options.idempotencyMs ?? 86_400_000,
    });
  }

  /** The same partition as another process sees it, which knows of no generation yet. */
  another(changes: PartitionOptions & { readonly url?: string } = {}): Partition {
    const { url = this.#url, ...options } = changes;
    return new Partition(url, { ...this.#options, prefix: this.prefix, ...options });
  }

  /** Stores messages in one call, topics in the order of their names. */
  commit(bodies: Bodies, options: CommitOptions = {}): Promise<CommitReply> {
    const { number = ++this.#number, lane = this.#lane, atomic = false } = options;
    const topics = Object.keys(bodies).sort().map((topic) => ({
      topic,
      messages: (bodies[topic] ?? []).map((one) =>
        typeof one === "string" ? { body: one, options: "" } : one
      ),
    }));
    return this.store.commit({ lane, number, atomic, topics });
  }

  /** Stores messages with these data in one call and gives their ids. */
  async publish(topic: string, ...data: unknown[]): Promise<string[]> {
    const reply = await this.commit({ [topic]: data.map((one) => JSON.stringify({ data: one })) });
    const [ms, seq] = (reply.firsts[0] ?? "").split("-").map(Number);
    return data.map((_, i) => `${ms}-${(seq ?? 0) + i}`);
  }

  /** Stores one message in a call of its own and gives its id. */
  async publishOne(topic: string, data: unknown = null): Promise<string> {
    const [id = ""] = await this.publish(topic, data);
    return id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node[Symbol.asyncDispose]();
  }
}
