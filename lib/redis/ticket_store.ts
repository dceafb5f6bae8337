import type { PartitionParts } from "./partition_parts.ts";
import { Script } from "./script.ts";
import { SPEND } from "./scripts/spend.lua.ts";

const spendScript = new Script(SPEND, "spend");

/** Which tickets were used. Methods reject with a RedisFailure. */
export class TicketStore {
  readonly #partition: PartitionParts;

  constructor(partition: PartitionParts) {
    this.#partition = partition;
  }

  /** Notes that a ticket was used, for so many milliseconds; false where it was before. */
  async spend(id: string, ms: number): Promise<boolean> {
    const { keys, site } = this.#partition;
    const spent = await site.run((client) =>
      spendScript.run(client, this.#partition.call([keys.ticket(id)], [ms]))
    );
    return Number(spent) === 1;
  }
}
