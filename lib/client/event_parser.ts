/** One block of an event stream. */
export interface Block {
  /** The `event:` field. */
  readonly event?: string | undefined;
  /** The `data:` lines; a block without them fires no event, but its id counts. */
  readonly data?: string;
  readonly id?: string;
  /** How long to wait before coming back, in milliseconds. */
  readonly retry?: number;
}

type Draft = { -readonly [K in keyof Block]: Block[K] };

/** Reads the blocks of an event stream from its bytes, however they are cut. What has no closing blank line is dropped. */
export class EventParser {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #draft: Draft = {};

  /** The blocks that end in these bytes. */
  push(bytes: Uint8Array): Block[] {
    const text = this.#decoder.decode(bytes, { stream: true });
    // a message of megabytes comes in many pieces: they are joined once
    if (!/[\r\n]/.test(text) && !this.#rest.endsWith("\r")) {
      this.#rest += text;
      return [];
    }
    // a CR at the end may be half of a CRLF
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    const blocks: Block[] = [];
    for (const line of lines) {
      if (line !== "") this.#field(line);
      else {
        blocks.push(this.#draft);
        this.#draft = {};
      }
    }
    return blocks;
  }

  #field(line: string): void {
    const [, name, value = ""] = /^([^:]*)(?:: ?([^]*))?$/.exec(line) ?? [];
    const draft = this.#draft;
    if (name === "data") draft.data = draft.data === undefined ? value : `${draft.data}\n${value}`;
    else if (name === "event") draft.event = value;
    else if (name === "id") draft.id = value;
    else if (name === "retry" && /^\d+$/.test(value)) draft.retry = Number(value);
  }
}
