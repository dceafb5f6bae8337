/** Ids, messages and batches for tests that need no Redis. */
import { Batch } from "../../lib/broker/batch.ts";
import type { LiveBatch } from "../../lib/broker/ring.ts";
import { formatId, type Id } from "../../lib/codec/id.ts";
import type { StoredMessage } from "../../lib/codec/message.ts";

/** The id that a small number stands for; larger numbers come later. */
export function idOf(n: number): Id {
  return { ms: Math.floor(n), seq: 65_536 };
}

/** A stored message of a topic, with its id as data. */
export function messageOf(topic: string, n: number, expires?: number): StoredMessage {
  const message = { id: formatId(idOf(n)), topic, time: n, body: `{"data":${n}}` };
  return expires === undefined ? message : { ...message, expires };
}

/** A batch of messages with these ids. */
export function batchWith(topic: string, ...numbers: number[]): Batch {
  return new Batch(numbers.map(idOf), numbers.map((n) => messageOf(topic, n)));
}

/** A frame with these ids. */
export function liveBatch(topic: string, ...numbers: number[]): LiveBatch {
  return { topic, last: idOf(numbers.at(-1) ?? 0), batch: batchWith(topic, ...numbers) };
}
