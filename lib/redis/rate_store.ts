import { createHash } from "node:crypto";
import type { Redis } from "ioredis";
import type { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import type { PartitionParts } from "./partition_parts.ts";
import { COUNT } from "./scripts/count.lua.ts";

/** How many points are asked for, and how many there are in a second. */
export interface RateQuestion {
  readonly points: number;
  readonly rate: number;
}

/** What became of points that were asked for. */
export interface RateAnswer {
  /** Whether all were given; else none was. */
  readonly granted: boolean;
  /** How many are left. */
  readonly remaining: number;
  /** When there are all of them again, in milliseconds from now. */
  readonly resetMs: number;
}

type Library = typeof import("rate-limiter-flexible");

/**
 * Counts of what was done in a second, by name. Methods reject with a RedisFailure. The library is loaded by the first
 * call, since few servers limit anything, and each that starts would wait for it.
 */
export class RateStore {
  readonly #partition: PartitionParts;
  readonly #limiters = new WeakMap<Redis, RateLimiterRedis>();

  constructor(partition: PartitionParts) {
    this.#partition = partition;
  }

  /** Takes points from those of the current second, all or none. */
  async take(name: string, { points, rate }: RateQuestion): Promise<RateAnswer> {
    // a name may be of any length
    const key = createHash("sha256").update(name).digest("base64url").slice(0, 22);
    const library = await import("rate-limiter-flexible");
    return await this.#partition.site.run(async (client) => {
      // the limiter's script does not know whether the partition has moved
      const here = this.#partition.check(client);
      // a call that is refused is made again; most are when a link is new, and then nothing must have been counted
      if (!this.#limiters.has(client)) await here;
      const [answer] = await Promise.all([
        this.#consume(client, { key, points, rate, library }),
        here,
      ]);
      return answer;
    });
  }

  async #consume(
    client: Redis,
    { key, points, rate, library }: RateQuestion & { key: string; library: Library },
  ): Promise<RateAnswer> {
    try {
      const limiter = this.#limiterOf(client, { rate, library });
      return answerOf(await limiter.consume(key, points), { rate });
    } catch (error) {
      if (error instanceof library.RateLimiterRes) {
        return answerOf(error, { rate, refused: points });
      }
      throw error;
    }
  }

  #limiterOf(
    client: Redis,
    { rate, library }: { rate: number; library: Library },
  ): RateLimiterRedis {
    let limiter = this.#limiters.get(client);
    if (limiter?.points !== rate) {
      limiter = new library.RateLimiterRedis({
        storeClient: client,
        keyPrefix: this.#partition.keys.rates,
        points: rate,
        duration: 1,
        customIncrTtlLuaScript: COUNT,
      });
      this.#limiters.set(client, limiter);
    }
    return limiter;
  }
}

function answerOf(
  { consumedPoints, msBeforeNext }: RateLimiterRes,
  { rate, refused = 0 }: { rate: number; refused?: number },
): RateAnswer {
  return {
    granted: refused === 0,
    // what was refused is in the sum and was not counted
    remaining: Math.max(rate - consumedPoints + refused, 0),
    resetMs: msBeforeNext,
  };
}
