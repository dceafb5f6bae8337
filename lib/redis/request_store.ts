import { toRedisFailure } from "./failure.ts";
import type { PartitionParts } from "./partition_parts.ts";
import { Script } from "./script.ts";
import { DROP_REQUESTS } from "./scripts/drop_requests.lua.ts";
import { END_REQUEST } from "./scripts/end_request.lua.ts";
import { REPLY } from "./scripts/reply.lua.ts";

const replyScript = new Script(REPLY, "reply");
const dropScript = new Script(DROP_REQUESTS, "drop_requests");
const endScript = new Script(END_REQUEST, "end_request");

/** A reply's body above which it does not travel but is read from its request. */
const FRAME_BYTES = 16_384;
/** How long a reply's key is remembered at least when its request is gone: a caller may not know that it was taken. */
const KEYS_MS = 15_000;
/** What all replies to one request may weigh. */
const REPLIES_BYTES = 64 << 20;

/** A reply on its way to the requester. */
export interface OutgoingReply {
  /** The request's id. */
  readonly id: string;
  /** The same key again is the same reply, taken once; at most 64 bytes. */
  readonly key: string;
  /** Differs where the same key comes with another payload. */
  readonly digest: string;
  /** JSON text on one line, without id, topic and time. */
  readonly body: string;
}

/** What became of a reply; see the script. */
export type ReplyOutcome = "taken" | "conflict" | "gone" | "full";

/** A reply that was taken. */
export interface StoredReply {
  readonly index: number;
  /** In milliseconds since 1970 on Redis's clock. */
  readonly time: number;
  readonly body: string;
}

/** Which replies of which request to read. */
export interface ReplyRange {
  readonly id: string;
  /** From 1 on. */
  readonly indexes: readonly number[];
}

/** What a request holds of the replies asked for. */
export interface RequestState {
  /** Whether the request is there; where it is not, nobody can reply any more. */
  readonly open: boolean;
  readonly replies: readonly StoredReply[];
}

/** Open requests and the replies to them; the commit that publishes a request makes it. Methods reject with a RedisFailure. */
export class RequestStore {
  readonly #partition: PartitionParts;

  constructor(partition: PartitionParts) {
    this.#partition = partition;
  }

  /** Hands in a reply. It can be sent again with the same key. */
  async reply(reply: OutgoingReply): Promise<ReplyOutcome> {
    const { keys, site } = this.#partition;
    const args = [
      reply.id,
      reply.key,
      reply.digest,
      reply.body,
      keys.probe(""),
      FRAME_BYTES,
      keys.base,
      KEYS_MS,
      REPLIES_BYTES,
    ];
    const outcome = await site.run((client) =>
      replyScript.run(client, this.#partition.call([keys.request(reply.id)], args))
    );
    return outcome as ReplyOutcome;
  }

  /** The topic that a request was published to; undefined where nobody waits for it any more. */
  async topicOf(id: string): Promise<string | undefined> {
    const { keys } = this.#partition;
    const [topic] = await this.#partition.read((pipeline) =>
      pipeline.hget(keys.request(id), "of")
    ) as [string | null];
    return topic ?? undefined;
  }

  /** Reads replies of some requests. */
  async read(ranges: readonly ReplyRange[]): Promise<RequestState[]> {
    if (ranges.length === 0) return [];
    const { keys } = this.#partition;
    const replies = await this.#partition.read((pipeline) => {
      for (const range of ranges) pipeline.hmget(keys.request(range.id), ...fieldsOf(range));
    });
    return replies.map((values, i) => readState(values, ranges[i]?.indexes ?? []));
  }

  /** Reads replies of a request and removes it, in one step. */
  async end(range: ReplyRange): Promise<RequestState> {
    const { keys, site } = this.#partition;
    const values = await site.run((client) =>
      endScript.run(client, this.#partition.call([keys.request(range.id)], fieldsOf(range)))
    );
    return readState(values, range.indexes);
  }

  /** Removes requests. */
  async remove(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const { keys, site } = this.#partition;
    const call = this.#partition.call(ids.map((id) => keys.request(id)), []);
    await site.run((client) => dropScript.run(client, call));
  }
}

function fieldsOf({ indexes }: ReplyRange): string[] {
  return ["n", ...indexes.map((index) => `r${index}`)];
}

function readState(reply: unknown, indexes: readonly number[]): RequestState {
  if (!Array.isArray(reply)) throw toRedisFailure(new Error("no list came back"), true);
  const [wanted, ...values] = reply as (string | null | undefined | false)[];
  const replies = indexes.flatMap((index, i) => {
    const value = values[i];
    return value ? [readReply(value, index)] : [];
  });
  return { open: Boolean(wanted), replies };
}

function readReply(value: string, index: number): StoredReply {
  const space = value.indexOf(" ");
  return { index, time: Number(value.slice(0, space)), body: value.slice(space + 1) };
}
