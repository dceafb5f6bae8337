/** What a message costs, and what it is computed from. */

/** What was counted up to one moment. */
export interface Reading {
  /** Milliseconds on a steady clock. */
  readonly at: number;
  /** Messages published, and messages that came to subscribers. */
  readonly published: number;
  readonly delivered: number;
  /** Commits that stored messages. */
  readonly commits: number;
  /** CPU seconds of all Redis processes together, and of Runnel. */
  readonly redis: number;
  readonly runnel: number;
}

/** What one message cost between two readings. CPU time is in microseconds for each message published. */
export interface Cost {
  readonly cpu: number;
  readonly redis: number;
  readonly runnel: number;
  /** Messages published, and deliveries, a second. */
  readonly rate: number;
  readonly deliveries: number;
  /** Messages that one commit stored. */
  readonly perCommit: number;
}

/** The cost between two readings. @throws {RangeError} where nothing was published between them */
export function costBetween(before: Reading, after: Reading): Cost {
  const published = after.published - before.published;
  if (published <= 0) throw new RangeError("Cannot tell what a message costs: none was published");
  const seconds = (after.at - before.at) / 1000;
  const redis = (after.redis - before.redis) / published * 1e6;
  const runnel = (after.runnel - before.runnel) / published * 1e6;
  return {
    cpu: redis + runnel,
    redis,
    runnel,
    rate: published / seconds,
    deliveries: (after.delivered - before.delivered) / seconds,
    perCommit: published / (after.commits - before.commits),
  };
}
