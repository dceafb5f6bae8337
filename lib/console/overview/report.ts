/** What one instance of Runnel says of itself on `$stats`, once a second. */
export interface Report {
  readonly instance: string;
  /** When, as ISO text. */
  readonly time: string;
  /** What the counts are of: milliseconds since its last report. */
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
  readonly subscribers: number;
  readonly publishMs: Times | null;
  readonly deliveryMs: Times | null;
  readonly eventLoopMs: number;
  readonly redis: readonly RedisReport[];
  /** Of the whole deployment, as are `redis` and `topics`: every instance says the same. */
  readonly groups: {
    readonly count: number;
    readonly lag: number;
    readonly pending: number;
    readonly dead: number;
  };
  readonly topics: number;
}

/** How long something took, in milliseconds. */
export interface Times {
  readonly p50: number;
  readonly p99: number;
}

/** One Redis server; what is null could not be found out. */
export interface RedisReport {
  readonly shard: number;
  readonly latencyMs: number | null;
  readonly memoryBytes: number | null;
  /** 0 where there is no limit. */
  readonly maxMemoryBytes: number | null;
  readonly connected: boolean;
}
