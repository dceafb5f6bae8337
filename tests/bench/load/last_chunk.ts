/** Where a body in chunks ends, behind which its connection may stay open. */

const LAST_CHUNK = new TextEncoder().encode("\r\n0\r\n\r\n");

/**
 * Looks for the end of a body in chunks from the end of any of them, wherever its reads cut it. Nothing that is sent as
 * JSON looks like it.
 */
export class LastChunk {
  /** How many bytes of it have come: at first those that end the chunk before. */
  #matched = 2;

  /** Whether the body ends with these bytes, the next of it. */
  endsIn(bytes: Uint8Array): boolean {
    if (bytes.length >= LAST_CHUNK.length) this.#matched = 0;
    for (const byte of bytes.subarray(-LAST_CHUNK.length)) this.#take(byte);
    return this.#matched === LAST_CHUNK.length;
  }

  #take(byte: number): void {
    const continues = LAST_CHUNK[this.#matched] === byte;
    if (continues) this.#matched++;
    else this.#matched = byte === LAST_CHUNK[0] ? 1 : 0;
  }
}
