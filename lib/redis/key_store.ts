import type { ApiKey } from "../codec/api_key.ts";
import type { Deployment } from "./deployment.ts";
import { type RedisFailure, toRedisFailure } from "./failure.ts";
import { type KeyRecord, KeyRecords, keysOf } from "./key_records.ts";

/** A shard that may not have what was to be written down. */
export interface Unkept {
  /** Its address without user and password. */
  readonly url: string;
  readonly failure: RedisFailure;
}

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
   * Writes a key down, or that it was revoked, in every shard; it counts as soon as one has it. Resolves to the shards that
   * may not have it: whoever reads records next brings them up to date.
   *
   * @throws the failure of the first shard where it is certain that none has it
   */
  async keep(record: KeyRecord): Promise<Unkept[]> {
    const shards = await this.#deployment.placed();
    const results = await Promise.allSettled(
      shards.map((shard) => this.#records.keep(shard, record)),
    );
    const unkept = results.flatMap((one, i) => {
      if (one.status === "fulfilled") return [];
      return [{ url: shards[i]?.url ?? "", failure: toRedisFailure(one.reason, true) }];
    });
    const isNowhere = unkept.length === shards.length &&
      unkept.every(({ failure }) => failure.outcome !== "unknown");
    if (isNowhere && unkept[0] !== undefined) throw unkept[0].failure;
    return unkept;
  }
}
