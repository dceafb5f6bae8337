import type { ApiKey } from "../codec/api_key.ts";
import type { Deployment } from "./deployment.ts";
import { type KeyRecord, KeyRecords, keysOf } from "./key_records.ts";

/** The API keys of a deployment. Methods reject with a RedisFailure. */
export class KeyStore {
  readonly #deployment: Pick<Deployment, "placed">;
  readonly #records: KeyRecords;

  constructor({ deployment, prefix }: { deployment: Pick<Deployment, "placed">; prefix: string }) {
    this.#deployment = deployment;
    this.#records = new KeyRecords(prefix);
  }

  /** All keys that are in use. */
  async list(): Promise<ApiKey[]> {
    return keysOf(await this.records());
  }

  /** All keys that there are and were. */
  async records(): Promise<KeyRecord[]> {
    return await this.#records.merge(await this.#deployment.placed());
  }

  /**
   * Writes a key down, or that it was revoked, in every shard.
   *
   * @throws the failure of the first shard that could not be reached; the others have it, and it may be tried again
   */
  async keep(record: KeyRecord): Promise<void> {
    const shards = await this.#deployment.placed();
    const results = await Promise.allSettled(
      shards.map((shard) => this.#records.keep(shard, record)),
    );
    const failure = results.find((one) => one.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }
}
