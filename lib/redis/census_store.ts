import type { PartitionParts } from "./partition_parts.ts";
import { Script } from "./script.ts";
import { CENSUS } from "./scripts/census.lua.ts";

const censusScript = new Script(CENSUS, "census");

/** Topics counted in one call. */
const TOPICS_A_CALL = 500;
/** Consumers, and pattern groups, that are looked at. */
const LOOKED_AT = 1_000;

/** What there is in a partition, or in all of them. */
export interface Census {
  readonly topics: number;
  readonly groups: number;
  /** Messages that groups have not taken yet. */
  readonly lag: number;
  /** Messages that are leased, or wait to be leased again. */
  readonly pending: number;
  /** Those of them that consumers with a name of their own hold. */
  readonly held: number;
  /** Dead letters that were not put back. */
  readonly dead: number;
}

/** Counts the topics and groups of a partition, for all processes once. Methods reject with a RedisFailure. */
export class CensusStore {
  readonly #partition: PartitionParts;

  constructor(partition: PartitionParts) {
    this.#partition = partition;
  }

  /** Takes the census's turn for a while; false where another process has it. */
  async takeTurn(processId: string, forMs: number): Promise<boolean> {
    const { keys, site } = this.#partition;
    return await site.run((client) => client.set(keys.censusTurn, processId, "PX", forMs, "NX")) ===
      "OK";
  }

  /** Counts some topics after one; `next` is the last of them where there are more. */
  async count(after: string | undefined): Promise<Census & { readonly next?: string }> {
    const { keys, site } = this.#partition;
    const call = this.#partition.call([keys.topics], [
      keys.base,
      after ?? "",
      TOPICS_A_CALL,
      LOOKED_AT,
    ]);
    const reply = await site.run((client) => censusScript.run(client, call));
    const [next, ...numbers] = reply as [string, ...(number | string)[]];
    const [topics = 0, groups = 0, lag = 0, pending = 0, held = 0, dead = 0] = numbers.map(Number);
    const census = { topics, groups, lag, pending, held, dead };
    return next === "" ? census : { ...census, next };
  }

  /** Keeps a census for all processes, for so many milliseconds. */
  async keep(census: Census, forMs: number): Promise<void> {
    const { keys, site } = this.#partition;
    await site.run((client) => client.set(keys.census, JSON.stringify(census), "PX", forMs));
  }

  /** The census that is kept; undefined where there is none. */
  async kept(): Promise<Census | undefined> {
    const { keys, site } = this.#partition;
    const text = await site.run((client) => client.get(keys.census));
    // Runnel wrote it
    return text === null ? undefined : JSON.parse(text) as Census;
  }
}
