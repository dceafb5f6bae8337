import { advanceId, formatId, readId } from "../codec/id.ts";
import { RunnelError } from "../errors.ts";
import { readGroupKey } from "../redis/group.ts";
import type { CommitReply, SpecialOutcome } from "../redis/store.ts";
import type { PreparedMessage } from "./publish_input.ts";
import type { Scheduled } from "./scheduled.ts";

/** Most messages and bytes of one call: ten thousand at once would block Redis for 150 ms. */
export const COMMIT_MESSAGES = 500;
/** See {@link COMMIT_MESSAGES}. */
export const COMMIT_BYTES = 256 << 10;

/** What became of one message: its id, what it is kept for later under, or why it was not stored. */
export type Outcome =
  | {
    readonly id: string;
    readonly duplicate: boolean;
    readonly scheduled?: undefined;
    /** How many replicas have it; only where that was waited for. */
    readonly replicas?: number;
  }
  | { readonly id: null; readonly duplicate: boolean; readonly scheduled: Scheduled }
  | RunnelError;

/** Bytes that a message counts for. */
export function sizeOf({ body, options, topic }: PreparedMessage): number {
  return body.length + options.length + topic.length;
}

/** Messages in parts, each for one call. */
export function split(messages: readonly PreparedMessage[]): (readonly PreparedMessage[])[] {
  const parts: PreparedMessage[][] = [];
  let part: PreparedMessage[] = [];
  let bytes = 0;
  for (const message of messages) {
    const size = sizeOf(message);
    if (part.length > 0 && (part.length >= COMMIT_MESSAGES || bytes + size > COMMIT_BYTES)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(message);
    bytes += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/** Messages of one topic, and where each stands among all. */
export interface TopicGroup {
  readonly topic: string;
  readonly messages: readonly PreparedMessage[];
  /** As many as there are messages. */
  readonly places: readonly number[];
}

/**
 * Messages grouped by topic, sorted by its name: one cursor covers all topics of a partition, so that ids are given out
 * and frames go out in the same order.
 */
export function byTopic(messages: readonly PreparedMessage[]): TopicGroup[] {
  const groups = new Map<string, { messages: PreparedMessage[]; places: number[] }>();
  let place = 0;
  for (const message of messages) {
    let group = groups.get(message.topic);
    if (group === undefined) groups.set(message.topic, group = { messages: [], places: [] });
    group.messages.push(message);
    group.places.push(place++);
  }
  return [...groups]
    .map(([topic, group]) => ({ topic, ...group }))
    .sort((a, b) => a.topic < b.topic ? -1 : 1);
}

/** What a reply says of each message, in the order in which they came. */
export function outcomesOf(
  reply: CommitReply,
  { topics, count }: { topics: readonly TopicGroup[]; count: number },
): Outcome[] {
  const outcomes = new Array<Outcome>(count);
  const replicas = reply.replicas === undefined ? undefined : { replicas: reply.replicas };
  const special = new Map(
    reply.special.map(([i, outcome, id, at = 0]) => [i, { outcome, id, at }]),
  );
  let at = 0;
  for (const [k, { places }] of topics.entries()) {
    const text = reply.firsts[k] ?? "";
    const first = text === "" ? undefined : readId(text);
    let stored = 0;
    for (const place of places) {
      const aside = special.get(at++);
      if (aside !== undefined) {
        outcomes[place] = asideOutcome(aside, replicas);
      } else if (first !== undefined) {
        const plain = { id: formatId(advanceId(first, stored++)), duplicate: false };
        outcomes[place] = replicas === undefined ? plain : { ...plain, ...replicas };
      }
    }
  }
  return outcomes;
}

function asideOutcome(
  { outcome, id, at }: { outcome: SpecialOutcome; id: string; at: number },
  replicas: { replicas: number } | undefined,
): Outcome {
  switch (outcome) {
    case "dup":
      return { id, duplicate: true, ...replicas };
    case "conflict":
      return new RunnelError("idempotency_conflict");
    case "type":
      return new RunnelError("wrong_type");
    case "full":
      return new RunnelError(
        "topic_full",
        `The group ${JSON.stringify(readGroupKey(id).group)} has not done its work`,
      );
    case "later":
    case "laterdup":
      return { id: null, duplicate: outcome === "laterdup", scheduled: { token: id, at } };
    case "aborted":
      return new RunnelError("batch_aborted");
  }
}
