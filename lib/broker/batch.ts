import { compareIds, type Id } from "../codec/id.ts";
import type { StoredMessage } from "../codec/message.ts";

/** Writes messages in one format. Its identity is the key under which a batch keeps what it wrote. */
export interface BatchEncoder {
  /** The wire form of messages, one after the other. */
  messages(messages: readonly StoredMessage[]): Uint8Array;
}

/**
 * Messages in id order that go to many subscriptions. Each format is written once, however many read it.
 */
export class Batch {
  readonly #encoded = new Map<BatchEncoder, Uint8Array>();
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
   * The messages after `cursor`, `most` at the most, that have not expired at `now` (milliseconds on Redis's clock).
   *
   * @returns their wire form, empty where there are none, and how many they are
   */
  encode(
    encoder: BatchEncoder,
    { after, most, now }: { after: Id; most: number; now: number },
  ): { bytes: Uint8Array; count: number; last: Id | undefined } {
    const first = this.ids[0];
    const whole = first !== undefined && compareIds(first, after) > 0 && this.ids.length <= most;
    if (whole && !this.#expires) {
      return { bytes: this.#whole(encoder), count: this.ids.length, last: this.last };
    }
    const wanted: StoredMessage[] = [];
    let last: Id | undefined;
    for (const [i, message] of this.messages.entries()) {
      const id = this.ids[i];
      if (id === undefined || compareIds(id, after) <= 0) continue;
      if (wanted.length >= most) break;
      last = id;
      if (message.expires === undefined || message.expires > now) wanted.push(message);
    }
    return { bytes: encoder.messages(wanted), count: wanted.length, last };
  }

  #whole(encoder: BatchEncoder): Uint8Array {
    let bytes = this.#encoded.get(encoder);
    if (bytes === undefined) {
      bytes = encoder.messages(this.messages);
      this.#encoded.set(encoder, bytes);
    }
    return bytes;
  }
}
