import { type Id, readId } from "../codec/id.ts";

/** What Redis remembers of a topic apart from its messages. */
export interface TopicState {
  /** Id of the last message ever published to it. */
  readonly last: Id;
  /** How many were ever published to it. */
  readonly count: number;
  /** Bytes of the largest body ever published to it, which bounds what a page can weigh. */
  readonly largest: number;
  /** When it was deleted, in milliseconds since 1970; unset while it lives. */
  readonly deletedAt?: number;
}

/** Where a partition stood at one moment. */
export interface Position {
  /** Generation of the primary that answered. */
  readonly generation: number;
  /** Id of the last message committed. */
  readonly clock: Id;
  /** Redis's time, in milliseconds since 1970. */
  readonly now: number;
  /** The highest id among topics that were deleted and forgotten. */
  readonly purged: Id;
  /** Where the given cursor goes on; unset where none was given. */
  readonly cursor?: Id;
  /** Whether the cursor saw messages that were lost since. */
  readonly lost: boolean;
  /** The state of each topic asked for, in that order; undefined where it was never published to. */
  readonly topics: readonly (TopicState | undefined)[];
}

/** Reads the reply of the position script. */
export function readPosition(reply: unknown): Position {
  const raw = JSON.parse(String(reply)) as {
    gen: number;
    clock: string;
    now: number;
    purged: string;
    cursor: string;
    lost: boolean;
    topics: string[];
  };
  return {
    generation: raw.gen,
    clock: readId(raw.clock),
    now: raw.now,
    purged: readId(raw.purged),
    ...(raw.cursor === "" ? {} : { cursor: readId(raw.cursor) }),
    lost: raw.lost,
    topics: raw.topics.map(readTopicState),
  };
}

/** Reads a topic's state, "last count largest [deleted] ...", deleted 0 for never; undefined for an empty text. */
export function readTopicState(text: string): TopicState | undefined {
  if (text === "") return undefined;
  const [last = "", count, largest, deletedAt] = text.split(" ");
  return {
    last: readId(last),
    count: Number(count),
    largest: Number(largest),
    ...(deletedAt === undefined || deletedAt === "0" ? {} : { deletedAt: Number(deletedAt) }),
  };
}
