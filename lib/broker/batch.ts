import { compareIds, type Id } from "../codec/id.ts";
import type { StoredMessage } from "../codec/message.ts";

/** What stands before and after a message's id in the cursor of a subscription that spans several partitions. */
export interface CursorFrame {
  readonly before: string;
  readonly after: string;
}

/** Writes messages in one format. Its identity is the key under which a batch keeps what it wrote. */
export interface BatchEncoder {
  /** The wire form of messages, one after the other; what they are a cursor of is one partition. */
  messages(messages: readonly StoredMessage[]): Uint8Array;
  /** The part of each message's wire form that is the same for all subscriptions. */
  bodies(messages: readonly StoredMessage[]): readonly string[];
  /** The wire form of such parts, each with the cursor after it. */
  withCursors(bodies: readonly string[], cursors: readonly string[]): Uint8Array;
}

/** Tells the time on Redis's clock, in milliseconds since 1970; asking costs a delivery something. */
export interface RedisClock {
  readonly now: number;
}

/** Wire forms kept for different cursors: subscriptions that are live together mostly have the same. */
const FRAMED_MOST = 4;

/**
 * Messages in id order that go to many subscriptions. Each format is written once, however many read it.
 */
export class Batch {
  readonly #encoded = new Map<BatchEncoder, Uint8Array>();
  readonly #bodies = new Map<BatchEncoder, readonly string[]>();
  readonly #framed = new Map<BatchEncoder, Map<string, Uint8Array>>();
  readonly #expires: boolean;
  /** Bytes of all bodies. */
  readonly bytes: number;

  constructor(
    /** The ids, one for each message. */
    readonly ids: readonly Id[],
    readonly messages: readonly StoredMessage[],
  ) {
    this.#expires = messages.some((message) => message.expires !== undefined);
    this.bytes = messages.reduce((sum, message) => sum + message.body.length, 0);
  }

  /** Id of the last message; undefined where there is none. */
  get last(): Id | undefined {
    return this.ids.at(-1);
  }

  /**
   * The messages after `cursor`, `most` at the most, that have not expired.
   *
   * @returns their wire form, empty where there are none, and how many they are
   */
  encode(
    encoder: BatchEncoder,
    { after, most, clock, frame }: {
      after: Id;
      most: number;
      clock: RedisClock;
      /** Unset where a message's id is the whole cursor. */
      frame?: CursorFrame | undefined;
    },
  ): { bytes: Uint8Array; count: number; last: Id | undefined } {
    const first = this.ids[0];
    const whole = first !== undefined && compareIds(first, after) > 0 && this.ids.length <= most;
    if (whole && !this.#expires) {
      const bytes = frame === undefined ? this.#whole(encoder) : this.#wholeIn(frame, encoder);
      return { bytes, count: this.ids.length, last: this.last };
    }
    const { now } = clock;
    const wanted: StoredMessage[] = [];
    let last: Id | undefined;
    for (const [i, message] of this.messages.entries()) {
      const id = this.ids[i];
      if (id === undefined || compareIds(id, after) <= 0) continue;
      if (wanted.length >= most) break;
      last = id;
      if (message.expires === undefined || message.expires > now) wanted.push(message);
    }
    const bytes = frame === undefined
      ? encoder.messages(wanted)
      : encoder.withCursors(encoder.bodies(wanted), cursorsOf(wanted, frame));
    return { bytes, count: wanted.length, last };
  }

  #whole(encoder: BatchEncoder): Uint8Array {
    let bytes = this.#encoded.get(encoder);
    if (bytes === undefined) {
      bytes = encoder.messages(this.messages);
      this.#encoded.set(encoder, bytes);
    }
    return bytes;
  }

  #wholeIn(frame: CursorFrame, encoder: BatchEncoder): Uint8Array {
    const key = `${frame.before} ${frame.after}`;
    let framed = this.#framed.get(encoder);
    if (framed === undefined) this.#framed.set(encoder, framed = new Map());
    let bytes = framed.get(key);
    if (bytes === undefined) {
      let bodies = this.#bodies.get(encoder);
      if (bodies === undefined) this.#bodies.set(encoder, bodies = encoder.bodies(this.messages));
      bytes = encoder.withCursors(bodies, cursorsOf(this.messages, frame));
      if (framed.size < FRAMED_MOST) framed.set(key, bytes);
    }
    return bytes;
  }
}

function cursorsOf(messages: readonly StoredMessage[], { before, after }: CursorFrame): string[] {
  return messages.map(({ id }) => before + id + after);
}
