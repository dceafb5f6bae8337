import type { Census } from "../redis/census_store.ts";
import type { RedisState } from "../codec/stats.ts";
import { RunnelError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { Partition } from "./partition.ts";
import type { Partitions } from "./partitions.ts";
import { abortable, within } from "./wait.ts";

/** Options of {@link Survey}. */
export interface SurveyOptions {
  readonly partitions: Pick<Partitions, "current" | "shards">;
  readonly log: Logger;
  /** Names this process. */
  readonly processId: string;
}

/** How old what is told of the Redis servers may be, in milliseconds. */
const REDIS_MS = 800;
/** How long a Redis may take until it counts as out of reach, in milliseconds. */
const PATIENCE_MS = 1_500;
/** How old what is told of topics and groups may be, in milliseconds. */
const CENSUS_MS = 5_000;
/** How long a census is kept in Redis where nobody makes the next one. */
const KEPT_MS = 60_000;
/** Calls of one step: what is more is counted in the next. */
const CALLS_A_STEP = 20;

const NOTHING: Census = { topics: 0, groups: 0, lag: 0, pending: 0, held: 0, dead: 0 };

/**
 * Looks at the whole deployment: its Redis servers, and how many topics and groups there are with how much to do. The
 * topics of a partition are counted by one process for all; however many there are and whoever asks, a look is bounded.
 */
export class Survey {
  readonly #options: SurveyOptions;
  readonly #walks = new Map<Partition, { readonly sum: Census; readonly after: string }>();
  readonly #redis = new Memo(REDIS_MS, () => this.#lookAtRedis());
  readonly #census = new Memo(CENSUS_MS, () => this.#lookAtTopics());

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  /** The Redis servers as they are now. */
  redis(): Promise<readonly RedisState[]> {
    return this.#redis.get();
  }

  /**
   * How many topics and groups there are and what they have to do, as of a few seconds ago; partitions out of reach are
   * left out.
   */
  census(): Promise<Census> {
    return this.#census.get();
  }

  /** Both, as far as they are known within so many milliseconds; undefined where one is not, or fails. */
  async look(ms: number): Promise<Partial<{ redis: readonly RedisState[]; census: Census }>> {
    const soon = <T>(promise: Promise<T>) =>
      within(ms, redisTimeout, (signal) => abortable(promise, signal))
        .catch(() => undefined);
    const [redis, census] = await Promise.all([soon(this.redis()), soon(this.census())]);
    return {
      ...(redis === undefined ? {} : { redis }),
      ...(census === undefined ? {} : { census }),
    };
  }

  async #lookAtRedis(): Promise<readonly RedisState[]> {
    const { all } = await this.#options.partitions.current();
    const { shards } = this.#options.partitions;
    return await Promise.all(shards.map(async ({ partitions }, place) => {
      const there = all.filter(({ number }) => partitions.includes(number));
      // the partitions of a Cluster are on several nodes
      const asked = there.some(({ store }) => store.isSharded) ? there : there.slice(0, 1);
      return await stateOf(asked, place + 1);
    }));
  }

  async #lookAtTopics(): Promise<Census> {
    const { all } = await this.#options.partitions.current();
    const answers = await Promise.allSettled(all.map((partition) => this.#lookAt(partition)));
    let sum = NOTHING;
    for (const answer of answers) {
      if (answer.status === "fulfilled") sum = add(sum, answer.value ?? NOTHING);
      else this.#options.log.debug("topics could not be counted", { error: answer.reason });
    }
    return sum;
  }

  async #lookAt(partition: Partition): Promise<Census | undefined> {
    const { store: { census } } = partition;
    const isMine = await census.takeTurn(this.#options.processId, CENSUS_MS * 0.9);
    if (isMine) await this.#walk(partition);
    return await census.kept();
  }

  /** Counts on from where it stopped; what is only begun is not told of. */
  async #walk(partition: Partition): Promise<void> {
    const { store: { census } } = partition;
    let { sum, after } = this.#walks.get(partition) ?? { sum: NOTHING, after: undefined };
    this.#walks.delete(partition);
    for (let calls = 0; calls < CALLS_A_STEP; calls++) {
      const { next, ...some } = await census.count(after);
      sum = add(sum, some);
      if (next === undefined) return await census.keep(sum, KEPT_MS);
      after = next;
    }
    if (after !== undefined) this.#walks.set(partition, { sum, after });
  }
}

async function stateOf(asked: readonly Partition[], shard: number): Promise<RedisState> {
  try {
    const states = await within(
      PATIENCE_MS,
      redisTimeout,
      (signal) => abortable(Promise.all(asked.map(({ store }) => store.server.state())), signal),
    );
    const servers = [...new Map(states.map((state) => [state.run, state])).values()];
    const total = (bytes: readonly number[]) => bytes.reduce((sum, one) => sum + one, 0);
    return {
      shard,
      latencyMs: Math.max(...servers.map(({ latencyMs }) => latencyMs)),
      memoryBytes: total(servers.map(({ memoryBytes }) => memoryBytes)),
      maxMemoryBytes: total(servers.map(({ maxMemoryBytes }) => maxMemoryBytes)),
      connected: true,
    };
  } catch {
    // the log says elsewhere why it is away
    return {
      shard,
      latencyMs: null,
      memoryBytes: null,
      maxMemoryBytes: null,
      connected: false,
    };
  }
}

function add(a: Census, b: Census): Census {
  return {
    topics: a.topics + b.topics,
    groups: a.groups + b.groups,
    lag: a.lag + b.lag,
    pending: a.pending + b.pending,
    held: a.held + b.held,
    dead: a.dead + b.dead,
  };
}

/** What was found out last, for as long as it is not too old; whoever asks meanwhile gets the look under way. */
class Memo<T> {
  readonly #maxAgeMs: number;
  readonly #look: () => Promise<T>;
  #looking: Promise<T> | undefined;
  #last: Promise<T> | undefined;
  #at = -Infinity;

  constructor(maxAgeMs: number, look: () => Promise<T>) {
    this.#maxAgeMs = maxAgeMs;
    this.#look = look;
  }

  get(): Promise<T> {
    if (this.#looking !== undefined) return this.#looking;
    if (this.#last !== undefined && performance.now() - this.#at < this.#maxAgeMs) {
      return this.#last;
    }
    const looking = this.#look().finally(() => this.#looking = undefined);
    this.#looking = looking;
    looking.then(() => {
      this.#last = looking;
      this.#at = performance.now();
    }, () => {});
    return looking;
  }
}

function redisTimeout(): RunnelError {
  return new RunnelError("redis_timeout");
}
