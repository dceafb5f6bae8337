/** WebSocket frames, looked at only as far as counting needs. */

const FIN_TEXT = 0x81;
const PING = "2".charCodeAt(0);
/** The longest head of a frame from a server: two bytes, and a length of two. */
const LONGEST_HEAD = 4;

/** What came in some bytes. */
export interface FrameCount {
  /** Frames whose last byte came: in Socket.IO's text protocol one is one message. */
  readonly messages: number;
  /** Frames that are a ping of Engine.IO, which the client has to answer. */
  readonly pings: number;
}

/** Counts the frames of one connection from a Socket.IO server, wherever its reads cut them. */
export class FrameCounter {
  /** The head of the frame that has begun. */
  readonly #head = new Uint8Array(LONGEST_HEAD);
  #headSize = 0;
  /** Bytes of the frame that are still to come, its head being whole; else undefined. */
  #rest: number | undefined;
  #mayBePing = false;

  /**
   * Takes the bytes of the next read.
   *
   * @throws {Error} on anything but whole text frames of less than 64 KiB, such as the close frame of a server.
   */
  take(bytes: Uint8Array): FrameCount {
    let messages = 0;
    let pings = 0;
    for (let at = 0; at < bytes.length;) {
      if (this.#rest === undefined) {
        this.#takeHead(bytes[at++]!);
        continue;
      }
      if (this.#mayBePing && bytes[at] === PING) pings++;
      else if (this.#rest <= bytes.length - at) messages++;
      const taken = Math.min(this.#rest, bytes.length - at);
      at += taken;
      this.#rest = taken < this.#rest ? this.#rest - taken : undefined;
    }
    return { messages, pings };
  }

  #takeHead(byte: number): void {
    const head = this.#head;
    head[this.#headSize++] = byte;
    if (this.#headSize === 1) return;
    const short = head[1]!;
    if (head[0] !== FIN_TEXT || short === 0 || short > 126) {
      throw new Error(`Cannot read a frame that begins with ${head[0]} ${short}`);
    }
    if (this.#headSize < (short === 126 ? LONGEST_HEAD : 2)) return;
    this.#rest = short === 126 ? head[2]! * 256 + head[3]! : short;
    this.#mayBePing = short === 1;
    this.#headSize = 0;
  }
}

const encoder = new TextEncoder();

/** The bytes of a text frame from a client, of at most 125 bytes; masked with zeros, which leave the text as it is. */
export function textFrame(text: string): Uint8Array {
  const payload = encoder.encode(text);
  if (payload.length > 125) throw new RangeError("Cannot send a text of more than 125 bytes");
  return new Uint8Array([FIN_TEXT, 0x80 | payload.length, 0, 0, 0, 0, ...payload]);
}
