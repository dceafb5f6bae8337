/** Filling topics, and reading what a stream that ends by itself gives. */
import assert from "node:assert/strict";
import { send } from "./http.ts";
import { openStream, type SseEvent } from "./sse.ts";

/** A message that was stored; its data is its place in the batch. */
export interface Stored {
  readonly id: string;
  readonly topic: string;
  readonly data: number;
}

/** The whole numbers from `from` (included) to `to` (excluded). */
export function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

/**
 * Publishes a batch that spreads over the topics and returns it in the order of its ids, which is the only order there
 * is across topics.
 */
export async function fill(
  url: string,
  topics: readonly string[],
  count: number,
): Promise<Stored[]> {
  const json = range(0, count).map((data) => ({ topic: topics[data % topics.length] ?? "", data }));
  const { status, body } = await send(`${url}/batch`, { json });
  assert.equal(status, 200, JSON.stringify(body));
  // The API's contract; what is in it is checked by the tests of /batch.
  const { results } = body as unknown as { results: { id: string }[] };
  const stored = json.map((message, n) => ({ ...message, id: results[n]?.id ?? "" }));
  return stored.sort((a, b) => compareIds(a.id, b.id));
}

/** The messages among a stream's events, parsed. */
export function messagesIn(
  events: readonly SseEvent[],
): { id: string; topic: string; data: unknown }[] {
  return events.filter((event) => !event.event.startsWith("$"))
    .map((event) => JSON.parse(event.data));
}

/** The data of the messages of a stream that ends by itself. */
export async function dataOf(
  url: string,
  headers: Record<string, string> = {},
): Promise<unknown[]> {
  await using stream = await openStream(url, { headers });
  return messagesIn(await stream.rest()).map(({ data }) => data);
}

function compareIds(a: string, b: string): number {
  const [ams = 0n, aseq = 0n] = a.split("-").map(BigInt);
  const [bms = 0n, bseq = 0n] = b.split("-").map(BigInt);
  return Number(ams - bms) || Number(aseq - bseq);
}
