/** The event stream format as the WHATWG HTML standard reads it, written apart from the server's encoder. */

/** What stood between two blank lines. Only a block with `data` fires an event in a browser. */
export interface SseBlock {
  /** The event's name; `message` where the block names none. */
  readonly event: string;
  /** Undefined where the block has no `data` field: nothing fires then. */
  readonly data: string | undefined;
  /** The last event id after this block, as a browser would send it back. */
  readonly id: string;
  /** The milliseconds of a valid `retry` field. */
  readonly retry: number | undefined;
  /** The texts of the comment lines. */
  readonly comments: readonly string[];
  /** Whether the block had an `id` field and nothing that fires. */
  readonly idOnly: boolean;
}

/** Parses chunks of an event stream, cut anywhere. */
export class SseParser {
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #text = "";
  #started = false;
  #afterCr = false;
  #lastEventId = "";
  #block = emptyBlock();

  /** What a browser would send as `Last-Event-ID` now: ids count once their block has ended. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  /**
   * The blocks that these bytes complete. A block that the stream's end cuts off is never given out.
   *
   * @throws {TypeError} when the bytes are not UTF-8, which a browser would paper over.
   */
  push(bytes: Uint8Array): SseBlock[] {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    if (!this.#started && this.#text.length > 0) {
      this.#started = true;
      if (this.#text.startsWith("\uFEFF")) this.#text = this.#text.slice(1);
    }
    const blocks: SseBlock[] = [];
    for (const line of this.#lines()) {
      const block = line === "" ? this.#endBlock() : this.#field(line);
      if (block) blocks.push(block);
    }
    return blocks;
  }

  *#lines(): Generator<string> {
    let start = 0;
    while (start < this.#text.length) {
      // The CR before it has ended the line already.
      if (this.#afterCr && this.#text[start] === "\n") start++;
      this.#afterCr = false;
      const end = nextLineEnd(this.#text, start);
      if (end < 0) break;
      this.#afterCr = this.#text[end] === "\r";
      yield this.#text.slice(start, end);
      start = end + 1;
    }
    this.#text = this.#text.slice(start);
  }

  #field(line: string): undefined {
    const colon = line.indexOf(":");
    const block = this.#block;
    block.empty = false;
    if (colon === 0) {
      block.comments.push(line.slice(1));
      return;
    }
    const name = colon < 0 ? line : line.slice(0, colon);
    const rest = colon < 0 ? "" : line.slice(colon + 1);
    const value = rest.startsWith(" ") ? rest.slice(1) : rest;
    if (name === "event") block.event = value;
    if (name === "data") block.data.push(value);
    if (name === "id" && !value.includes("\0")) block.id = value;
    if (name === "retry" && /^[0-9]+$/.test(value)) block.retry = Number(value);
  }

  #endBlock(): SseBlock | undefined {
    const block = this.#block;
    this.#block = emptyBlock();
    if (block.id !== undefined) this.#lastEventId = block.id;
    if (block.empty) return;
    // A lone `data:` fires an event with empty data; no `data` field at all fires nothing.
    const data = block.data.length === 0 ? undefined : block.data.join("\n");
    return {
      event: block.event || "message",
      data,
      id: this.#lastEventId,
      retry: block.retry,
      comments: block.comments,
      idOnly: block.id !== undefined && data === undefined,
    };
  }
}

function emptyBlock() {
  return {
    empty: true,
    event: "",
    data: [] as string[],
    id: undefined as string | undefined,
    retry: undefined as number | undefined,
    comments: [] as string[],
  };
}

/** Where the next CR or LF is, or -1. */
function nextLineEnd(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\n" || text[at] === "\r") return at;
  }
  return -1;
}
