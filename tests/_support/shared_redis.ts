/** One redis-server for all tests of a file; each test takes a prefix of its own. */
import { Partition, type PartitionOptions } from "./partition.ts";
import {
  type RedisServer,
  type RedisServerOptions,
  startRedis,
} from "../../lib/cli/topology/local_redis.ts";

/** Starts a server before the file's tests and ends it after them. To be called once, at the top of the file. */
export function shareRedis(options: RedisServerOptions = { appendonly: false }): SharedRedis {
  const shared = new SharedRedis();
  Deno.test.beforeAll(async () => {
    shared.server = await startRedis(options);
  });
  Deno.test.afterAll(async () => await shared.server[Symbol.asyncDispose]());
  return shared;
}

/** The server that a file's tests share. */
export class SharedRedis {
  #server: RedisServer | undefined;

  get server(): RedisServer {
    if (this.#server === undefined) throw new Error("Cannot use the server: no test has begun");
    return this.#server;
  }

  set server(server: RedisServer) {
    this.#server = server;
  }

  /** Opens a partition of its own. */
  open(options: PartitionOptions = {}): Partition {
    return new Partition(this.server.url, options);
  }

  /** Runs redis-cli. */
  cli(...args: string[]): Promise<string> {
    return this.server.cli(...args);
  }
}
