import type { PartitionParts } from "./partition_parts.ts";

/** What a Redis server tells of itself. */
export interface ServerState {
  /** Names this run of the server. */
  readonly run: string;
  /** How long it took to answer, in milliseconds. */
  readonly latencyMs: number;
  /** Memory in use. */
  readonly memoryBytes: number;
  /** Most memory that it may use; 0 where there is no limit. */
  readonly maxMemoryBytes: number;
}

/** The Redis server that a partition is on. Methods reject with a RedisFailure. */
export class ServerStore {
  readonly #partition: PartitionParts;

  constructor(partition: PartitionParts) {
    this.#partition = partition;
  }

  /** Asks how it is. */
  async state(): Promise<ServerState> {
    return await this.#partition.site.run(async (client) => {
      const begin = performance.now();
      await client.ping();
      const latencyMs = performance.now() - begin;
      const text = `${await client.info("server")}\n${await client.info("memory")}`;
      const read = (name: string) => text.match(new RegExp(`^${name}:(.*?)\r?$`, "m"))?.[1] ?? "";
      return {
        run: read("run_id"),
        latencyMs: Number(latencyMs.toPrecision(3)),
        memoryBytes: Number(read("used_memory")),
        maxMemoryBytes: Number(read("maxmemory")),
      };
    });
  }
}
