import { recordKey } from "./keys.ts";
import { mixed, type Placement, readRecord, type ShardRecord } from "./placement.ts";
import { Script } from "./script.ts";
import { CLAIM } from "./scripts/claim.lua.ts";
import { LOCK } from "./scripts/lock.lua.ts";
import { PLACE } from "./scripts/place.lua.ts";
import type { Shard } from "./shard.ts";

const claimScript = new Script(CLAIM, "claim");
const lockScript = new Script(LOCK, "lock");
const placeScript = new Script(PLACE, "place");

/** What shards have written down of their deployment. Methods reject with a RedisFailure. */
export class Records {
  readonly #key: string;

  constructor(prefix: string) {
    this.#key = recordKey(prefix);
  }

  /** Reads what a shard has written down. */
  async read(shard: Shard): Promise<ShardRecord> {
    const node = await shard.nodeOf(this.#key);
    const fields = ["shard", "placement", "next"];
    return readRecord(await node.run((client) => client.hmget(this.#key, ...fields)));
  }

  /** Makes a Redis a shard, and gives it a placement, where it has none; resolves with what it has then. */
  async claim(
    shard: Shard,
    { id, placement }: { id?: string; placement?: Placement } = {},
  ): Promise<ShardRecord> {
    const node = await shard.nodeOf(this.#key);
    const args = [
      id ?? crypto.randomUUID(),
      placement === undefined ? "" : JSON.stringify(placement),
    ];
    const record = await node.run((client) => claimScript.run(client, { keys: [this.#key], args }));
    return readRecord(record as string[]);
  }

  /**
   * Writes a placement down, unless the shard has a newer one.
   *
   * @throws RunnelError `not_configured` where the shard is another deployment's
   */
  async place(shard: Shard, placement: Placement): Promise<void> {
    const node = await shard.nodeOf(this.#key);
    const args = [JSON.stringify(placement), placement.epoch, placement.deployment];
    const done = await node.run((client) => placeScript.run(client, { keys: [this.#key], args }));
    if (Number(done) < 0) throw mixed();
  }

  /** Writes down the placement that holds as soon as the one partition there is was split. */
  async announce(shard: Shard, next: Placement): Promise<void> {
    const node = await shard.nodeOf(this.#key);
    await node.run((client) => client.hset(this.#key, "next", JSON.stringify(next)));
  }

  /** Takes or keeps the right to change the placement, or gives it back with 0 ms; false where another has it. */
  async lock(shard: Shard, { owner, ms }: { owner: string; ms: number }): Promise<boolean> {
    const key = `${this.#key}:lock`;
    const node = await shard.nodeOf(key);
    const call = { keys: [key], args: [owner, ms] };
    return Number(await node.run((client) => lockScript.run(client, call))) === 1;
  }
}
