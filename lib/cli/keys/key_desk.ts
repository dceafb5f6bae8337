import { RunnelError } from "../../errors.ts";
import { createLogger } from "../../log.ts";
import { Deployment } from "../../redis/deployment.ts";
import type { KeyRecord } from "../../redis/key_records.ts";
import { KeyStore, type Unkept } from "../../redis/key_store.ts";
import { CliError } from "../cli_error.ts";
import { failureReasons } from "../findings/failure_reasons.ts";
import type { RedisSettings } from "../redis_settings.ts";

/** The API keys in Redis, for the command line. */
export class KeyDesk implements AsyncDisposable {
  readonly #settings: RedisSettings;
  readonly #deployment: Deployment;
  readonly #store: KeyStore;

  constructor(settings: RedisSettings) {
    const { redis: shards, prefix, partitions } = settings;
    this.#settings = settings;
    // what it would log is told as an error
    const log = createLogger({ level: "silent" });
    this.#deployment = new Deployment({ shards, prefix, partitions, log });
    this.#store = new KeyStore({ deployment: this.#deployment, prefix });
  }

  /**
   * All keys that there are and were; every Redis that can be reached knows them afterwards.
   *
   * @throws {CliError} that names the Redis that is the reason.
   */
  async records(): Promise<KeyRecord[]> {
    return await this.#ask(() => this.#store.records());
  }

  /**
   * Writes down a key, or that it was revoked. Resolves to the Redis that may not have it.
   *
   * @throws {CliError} where certainly none has it.
   */
  async keep(record: KeyRecord): Promise<Unkept[]> {
    return await this.#ask(() => this.#store.keep(record));
  }

  /** Closes every connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#deployment[Symbol.asyncDispose]();
  }

  async #ask<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof RunnelError)) throw error;
      const { redis: shards, prefix } = this.#settings;
      const reasons = await failureReasons(error, { shards, prefix });
      throw new CliError(`Cannot use the keys in Redis: ${error.message}`, {
        advice: [...reasons, "Nothing has changed"],
        cause: error,
      });
    }
  }
}

/** The error for keys that not every Redis was told of. */
export function toldInPart(unkept: readonly Unkept[], again: string): CliError {
  return new CliError("Not every Redis could be told", {
    advice: [
      ...unkept.map(({ url, failure }) => `${url}: ${failure.message}`),
      "It counts as soon as one of all Redis has it",
      `To complete it when all can be reached: ${again}`,
    ],
  });
}
