/** What a process says of itself on `$stats`. */
export interface Stats {
  /** Names it. */
  readonly instance: string;
  /** When, as ISO text. */
  readonly time: string;
  /** What the counts are of: milliseconds since it said so last. */
  readonly intervalMs: number;
  /** Messages published. */
  readonly in: number;
  /** Messages delivered. */
  readonly out: number;
  readonly requests: number;
  /** Requests that were refused: the caller's fault. */
  readonly refused: number;
  /** Requests that failed: Runnel's fault. */
  readonly errors: number;
  /** Streams that are open. */
  readonly subscribers: number;
  readonly publishMs: Quantiles | null;
  readonly deliveryMs: Quantiles | null;
  /** How late timers were, in milliseconds. */
  readonly eventLoopMs: number;
  readonly redis: readonly RedisState[];
  /** Of the whole deployment, as are `redis` and `topics`: every process says the same. */
  readonly groups: {
    readonly count: number;
    readonly lag: number;
    readonly pending: number;
    readonly dead: number;
  };
  readonly topics: number;
}

/** How long something took, in milliseconds. */
export interface Quantiles {
  readonly p50: number;
  readonly p99: number;
}

/** A Redis server, or the nodes of a Cluster together. What is null could not be found out. */
export interface RedisState {
  /** Its place among all, from 1. */
  readonly shard: number;
  /** How long it took to answer, in milliseconds; of several nodes the slowest. */
  readonly latencyMs: number | null;
  readonly memoryBytes: number | null;
  /** 0 where there is no limit. */
  readonly maxMemoryBytes: number | null;
  readonly connected: boolean;
}
