import type { PartitionParts } from "./partition_parts.ts";
import { throwFirst } from "./replies.ts";

/** Field of the subscriptions by pattern; no topic has this name. */
const PATTERNS = "*";

/** Open subscriptions of one process, by topic and by pattern. */
export interface SubscriberCounts {
  readonly topics: ReadonlyMap<string, number>;
  readonly patterns: ReadonlyMap<string, number>;
}

/** How many subscriptions each process has open on a partition. Methods reject with a RedisFailure. */
export class SubscriberStore {
  readonly #partition: PartitionParts;

  constructor(partition: PartitionParts) {
    this.#partition = partition;
  }

  /**
   * Writes down a process's open subscriptions, or where they have not changed that they still are; 0 ms takes it back.
   *
   * @returns false where nothing is written down any more, so that they must be given again
   */
  async report(
    processId: string,
    { counts, keepMs }: { counts: SubscriberCounts | undefined; keepMs: number },
  ): Promise<boolean> {
    const { keys } = this.#partition;
    const own = keys.subscribers(processId);
    return await this.#partition.site.run(async (client) => {
      const multi = client.multi().pexpire(own, keepMs);
      if (counts !== undefined) {
        multi.del(own);
        multi.hset(
          own,
          new Map([...counts.topics].map(([topic, n]) => [topic, String(n)])).set(
            PATTERNS,
            JSON.stringify(Object.fromEntries(counts.patterns)),
          ),
        );
      }
      multi.pexpire(own, keepMs);
      multi.zremrangebyscore(keys.processes, "-inf", Date.now());
      if (keepMs > 0) multi.zadd(keys.processes, Date.now() + keepMs, processId);
      else multi.zrem(keys.processes, processId);
      const [known] = throwFirst(await multi.exec());
      return counts !== undefined || known === 1;
    });
  }

  /** Reads what each process reported of a topic: its subscriptions by name, and all of those by pattern. */
  async of(
    topic: string,
  ): Promise<{ named: number; patterns: Record<string, number> }[]> {
    const { keys } = this.#partition;
    return await this.#partition.site.run(async (client) => {
      const processes = await client.zrangebyscore(keys.processes, Date.now(), "+inf");
      const pipeline = client.pipeline();
      for (const id of processes) pipeline.hmget(keys.subscribers(id), topic, PATTERNS);
      const replies = processes.length === 0 ? [] : throwFirst(await pipeline.exec());
      return (replies as [string | null, string | null][]).map(([named, patterns]) => ({
        named: Number(named ?? 0),
        patterns: JSON.parse(patterns ?? "{}"),
      }));
    });
  }
}
