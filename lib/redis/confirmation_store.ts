import type { PartitionParts } from "./partition_parts.ts";
import { Script } from "./script.ts";
import { AWAIT } from "./scripts/await.lua.ts";
import { CONFIRM } from "./scripts/confirm.lua.ts";

const awaitScript = new Script(AWAIT, "await");
const confirmScript = new Script(CONFIRM, "confirm");

/** How long confirmations are kept after the waiting, for a publisher that comes again. */
const KEEP_MS = 60_000;

/** A message whose confirmations a process waits for. */
export interface AwaitedMessage {
  readonly id: string;
  readonly topic: string;
  /** How many confirmations are wanted. */
  readonly wanted: number;
  readonly processId: string;
  readonly timeoutMs: number;
}

/** Confirmations of messages by subscriptions; the commit that publishes a message opens them. Methods reject with a RedisFailure. */
export class ConfirmationStore {
  readonly #partition: PartitionParts;

  constructor(partition: PartitionParts) {
    this.#partition = partition;
  }

  /** Has a process told of a message's confirmations; resolves with how many there are. May be repeated. */
  async register(message: AwaitedMessage): Promise<number> {
    const { keys, site } = this.#partition;
    const { id, topic, wanted, processId, timeoutMs } = message;
    const args = [topic, wanted, processId, timeoutMs + KEEP_MS];
    const count = await site.run((client) =>
      awaitScript.run(client, this.#partition.call([keys.confirmations(id)], args))
    );
    return Number(count);
  }

  /** Counts a subscription's confirmations; resolves with whether somebody waits for each. May be repeated. */
  async confirm(
    confirmation: {
      readonly topic: string;
      readonly ids: readonly string[];
      readonly subscription: string;
    },
  ): Promise<boolean[]> {
    const { keys, site } = this.#partition;
    const { topic, ids, subscription } = confirmation;
    const names = ids.map((id) => keys.confirmations(id));
    const args = [keys.probe(""), subscription, topic, ...ids];
    const results = await site.run((client) =>
      confirmScript.run(client, this.#partition.call(names, args))
    );
    return (results as (number | bigint)[]).map((result) => Number(result) === 1);
  }

  /** Reads how many have confirmed a message. */
  async count(id: string): Promise<number> {
    const { keys } = this.#partition;
    const [count] = await this.#partition.read((pipeline) =>
      pipeline.hget(keys.confirmations(id), "c")
    );
    return Number(count ?? 0);
  }
}
