/** Pulling and acknowledging over HTTP. */
import assert from "node:assert/strict";
import { type Answer, send } from "./http.ts";

/** A message as a consumer gets it. */
export interface Work {
  readonly id: string;
  readonly topic: string;
  readonly time: string;
  readonly data: unknown;
  readonly deliveries: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a streamed message only. */
  readonly lease?: string;
  readonly leaseUntil?: string;
}

/** What a pull gave. */
export interface Pulled {
  readonly lease: string | null;
  readonly leaseUntil: string | null;
  readonly messages: readonly Work[];
  readonly more: boolean;
}

/** What an ack did. */
export interface Settled {
  readonly done: number;
  readonly unknown: readonly string[];
}

/** A group as its topic describes it. */
export interface DescribedGroup {
  readonly topic: string;
  readonly group: string;
  readonly lag: number;
  readonly pending: number;
  readonly oldestPendingMs: number | null;
  readonly dead: number;
  readonly maxDeliveries: number;
  readonly consumers: readonly { name: string; leased: number; seen: string }[];
}

const NAMES = { topic: "jobs", group: "g" };

/** Asks for work, from `jobs` and group `g` where nothing is said, and returns the answer, whatever its status. */
export function tryPull(url: string, fields: Record<string, unknown> = {}): Promise<Answer> {
  return send(`${url}/pull`, { json: { ...NAMES, ...fields } });
}

/** Pulls; fails where the answer is no success. */
export async function pull(url: string, fields: Record<string, unknown> = {}): Promise<Pulled> {
  const { status, body } = await tryPull(url, fields);
  assert.equal(status, 200, JSON.stringify(body));
  // The API's contract; the tests look at each field.
  return body as unknown as Pulled;
}

/** Says what became of messages; fails where the answer is no success. */
export async function ack(
  url: string,
  ids: readonly string[],
  fields: Record<string, unknown> = {},
): Promise<Settled> {
  const { status, body } = await send(`${url}/ack`, { json: { ...NAMES, ids, ...fields } });
  assert.equal(status, 200, JSON.stringify(body));
  return body as unknown as Settled;
}

/** Makes a group, or sets it; fails where the answer is no success. */
export async function putGroup(
  url: string,
  { topic = "jobs", group = "g", ...json }: Record<string, unknown> = {},
): Promise<void> {
  const path = `${encodeURIComponent(`${topic}`)}/groups/${encodeURIComponent(`${group}`)}`;
  const { status, body } = await send(`${url}/topics/${path}`, { method: "PUT", json });
  assert.equal(status, 200, JSON.stringify(body));
}

/** The groups of a topic. */
export async function groupsOf(url: string, topic = "jobs"): Promise<readonly DescribedGroup[]> {
  const { status, body } = await send(`${url}/topics/${encodeURIComponent(topic)}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body.groups as readonly DescribedGroup[];
}

/** Publishes numbers from 0 on, in one call. */
export async function publishWork(url: string, count: number, topic = "jobs"): Promise<string[]> {
  const json = Array.from({ length: count }, (_, data) => ({ topic, data }));
  const { status, body } = await send(`${url}/batch`, { json });
  assert.equal(status, 200, JSON.stringify(body));
  return (body.results as { id: string }[]).map(({ id }) => id);
}

/** The data of messages. */
export function dataOf({ messages }: Pick<Pulled, "messages">): unknown[] {
  return messages.map(({ data }) => data);
}

/** The ids of messages. */
export function idsOf({ messages }: Pick<Pulled, "messages">): string[] {
  return messages.map(({ id }) => id);
}
