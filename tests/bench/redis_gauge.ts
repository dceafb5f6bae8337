/** What a Redis tells of itself. */
import { Redis } from "ioredis";

/** CPU time and commits of one Redis, up to now. */
export interface RedisReading {
  /** Seconds of CPU time, of all its threads. */
  readonly cpu: number;
  /** Commits of Runnel. */
  readonly commits: number;
}

const ALL = -1;

/** Reads a Redis over a connection that stays open, so that looking costs it next to nothing. */
export class RedisGauge implements Disposable {
  readonly #client: Redis;

  constructor(port: number) {
    this.#client = new Redis(port, "127.0.0.1");
  }

  /** @throws {Error} where Redis does not answer */
  async read(): Promise<RedisReading> {
    const info = await this.#client.info("cpu", "commandstats");
    return readInfo(info);
  }

  /** Connections to it, but for the gauge's own. @throws {Error} where Redis does not answer */
  async connections(): Promise<number> {
    const list = String(await this.#client.client("LIST"));
    return list.trimEnd().split("\n").length - 1;
  }

  /** Milliseconds of the longest command since the last look; 0 where the log of slow ones holds none. */
  async longestCommandMs(): Promise<number> {
    // the client has no type for the entries: number, time, microseconds, and more
    const entries = await this.#client.slowlog("GET", ALL) as [number, number, number][];
    await this.#client.slowlog("RESET");
    return entries.reduce((longest, [, , us]) => Math.max(longest, us), 0) / 1000;
  }

  [Symbol.dispose](): void {
    this.#client.disconnect();
  }
}

/** Reads the sections `cpu` and `commandstats` of INFO. */
export function readInfo(info: string): RedisReading {
  const number = (pattern: RegExp) => Number(pattern.exec(info)?.[1] ?? 0);
  const user = number(/^used_cpu_user:([\d.]+)/m);
  const system = number(/^used_cpu_sys:([\d.]+)/m);
  // each commit writes its lane's record with the one SET there is
  return { cpu: user + system, commits: number(/^cmdstat_set:calls=(\d+)/m) };
}
