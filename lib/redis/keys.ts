/** Hash: what a shard knows of the deployment that it belongs to, and its own id. */
export function recordKey(prefix: string): string {
  return `{${prefix}:deployment}`;
}

/** Hash: the API keys of the deployment. */
export function keyRingKey(prefix: string): string {
  return `${recordKey(prefix)}:keys`;
}

/**
 * Names of one partition's keys and channels; all share the hash tag `{prefix:0}` where there is one partition, and
 * `{prefix:<partition>/<partitions>}` where there are more, so that what a partition was split into begins anew beside it.
 */
export class Keys {
  /** What every key of the partition starts with. */
  readonly base: string;
  /** What every channel starts with: channels, unlike keys, are shared by all logical databases. */
  readonly channels: string;
  /** Hash: generation, clock, and each topic's last id and count. */
  readonly meta: string;
  /** Hash: where each older generation ended. */
  readonly gens: string;
  /** Stream: one entry a frame, in id order. */
  readonly log: string;
  /** Hash: retention by topic. */
  readonly settings: string;
  /** Sorted set of topic names, all with score 0, for listing in order. */
  readonly topics: string;
  /** Channel of all frames of the partition. */
  readonly all: string;

  constructor(options: { prefix: string; partition: number; partitions?: number; db: number }) {
    const { prefix, partition, partitions = 1 } = options;
    this.base = `{${prefix}:${partitions === 1 ? partition : `${partition}/${partitions}`}}`;
    this.channels = options.db === 0 ? this.base : `${this.base}@${options.db}`;
    this.meta = `${this.base}:meta`;
    this.gens = `${this.base}:gens`;
    this.log = `${this.base}:log`;
    this.settings = `${this.base}:cfg`;
    this.topics = `${this.base}:topics`;
    this.all = `${this.channels}:all`;
  }

  /** The stream of a topic. */
  topic(name: string): string {
    return `${this.base}:t:${name}`;
  }

  /** The channel of a topic's frames. */
  channel(name: string): string {
    return `${this.channels}:c:${name}`;
  }

  /** The last commit of a write lane. */
  lane(id: string): string {
    return `${this.base}:w:${id}`;
  }

  /** The channel on which one process receives its own probes. */
  probe(processId: string): string {
    return `${this.channels}:p:${processId}`;
  }

  /** Sorted set of the processes with open subscriptions, by when their report expires. */
  get processes(): string {
    return `${this.base}:procs`;
  }

  /** Hash: a process's open subscriptions by topic, and those by pattern as JSON under `*`. */
  subscribers(processId: string): string {
    return `${this.base}:n:${processId}`;
  }

  /** What a health check writes. */
  get health(): string {
    return `${this.base}:health`;
  }

  /** The channel on which every process hears of what concerns them all. */
  get control(): string {
    return `${this.channels}:ctl`;
  }

  /** Hash: the groups that consume topics by pattern, and where each starts in a topic. */
  get patternGroups(): string {
    return `${this.base}:pg`;
  }

  /** Sorted set: messages kept for later, by when they are due. */
  get later(): string {
    return `${this.base}:later`;
  }

  /** Hash: what is kept for later. */
  get laterMessages(): string {
    return `${this.base}:later:m`;
  }

  /** Hash: an open request with the replies so far. */
  request(id: string): string {
    return `${this.base}:q:${id}`;
  }

  /** Hash: the confirmations that a publisher waits for. */
  confirmations(messageId: string): string {
    return `${this.base}:f:${messageId}`;
  }

  /** String: a ticket that was used. */
  ticket(id: string): string {
    return `${this.base}:a:${id}`;
  }

  /** What the keys of counts of a second start with. */
  get rates(): string {
    return `${this.base}:r`;
  }

  /**
   * A key that never exists. While a Cluster moves a slot it refuses a script that names a missing key, and so does not
   * begin one that would meet a key that has left half-way.
   */
  get guard(): string {
    return `${this.base}:-`;
  }

  /** Set: what was written since a move of the partition began. */
  get marks(): string {
    return `${this.base}:dirty`;
  }

  /** String: what there is in the partition, as of a few seconds ago. */
  get census(): string {
    return `${this.base}:census`;
  }

  /** The lock of the census. */
  get censusTurn(): string {
    return `${this.base}:census:turn`;
  }

  /** The lock of the retention sweep. */
  get sweep(): string {
    return `${this.base}:sweep`;
  }
}
