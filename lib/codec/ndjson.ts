import { ByteBuffer } from "./byte_buffer.ts";
import { eventJson } from "./event_message.ts";
import { parseJsonText, writeJson } from "./json.ts";
import {
  type Delivery,
  type MessageFormat,
  messageJson,
  parseBody,
  type StoredMessage,
} from "./message.ts";

/** The media type of newline-delimited JSON. */
export const NDJSON_TYPE = "application/x-ndjson";

/** One line of an NDJSON body. */
export interface NdjsonLine {
  /** Its place in the body, from 1, blank lines counted. */
  readonly number: number;
  /** The line without its line break; undefined where it was longer than allowed and is lost. */
  readonly bytes: Uint8Array | undefined;
}

/** Options of {@link LineSplitter}. */
export interface SplitOptions {
  /** Longest line in bytes, its line break not counted. */
  readonly maxBytes: number;
}

/** The value as a line of NDJSON, line break included. */
export function ndjsonLine(value: unknown): string {
  return `${writeJson(value)}\n`;
}

/** Options of {@link ndjsonMessage}. */
export interface NdjsonMessageOptions {
  /** The whole message, its payload as JSON, or a CloudEvent. @default "message" */
  readonly format?: MessageFormat;
  /** What a group's consumer is told beside the message, unless it gets the payload alone. */
  readonly delivery?: Delivery;
}

/** A stored message as a line of NDJSON. */
export function ndjsonMessage(stored: StoredMessage, options: NdjsonMessageOptions = {}): string {
  const { format = "message", delivery } = options;
  if (format === "data") {
    const { data, dataBase64 } = parseBody(stored.body);
    return ndjsonLine(dataBase64 ?? data ?? null);
  }
  if (format === "cloudevents") return `${eventJson(stored, delivery)}\n`;
  const json = messageJson(stored, delivery);
  // Runnel writes its JSON on one line; white space of another writer must not become a second line here.
  return json.includes("\n") || json.includes("\r") ? ndjsonLine(parseJsonText(json)) : `${json}\n`;
}

const TAB = 9;
const LF = 10;
const CR = 13;
const SPACE = 32;
const NOTHING = new Uint8Array(0);

/**
 * Cuts bytes into lines, whatever chunks they come in. Blank lines are skipped, CR LF ends a line as LF does, and a
 * last line needs no line break. A line that is too long is reported without its bytes and the next one goes on; never
 * are more than `maxBytes` and one chunk held.
 */
export class LineSplitter {
  readonly #maxBytes: number;
  readonly #held = new ByteBuffer();
  #number = 0;
  #tooLong = false;

  constructor(options: SplitOptions) {
    this.#maxBytes = options.maxBytes;
  }

  /** Takes the next bytes and gives the lines that end in them. Lines may be views of `chunk`: do not reuse it. */
  push(chunk: Uint8Array): NdjsonLine[] {
    const found: NdjsonLine[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.#finish(chunk.subarray(start, end), found);
      start = end + 1;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
    return found;
  }

  /** Says that no more bytes come and gives the last line, if it had no line break. */
  end(): NdjsonLine[] {
    const found: NdjsonLine[] = [];
    if (this.#held.length > 0 || this.#tooLong) this.#finish(NOTHING, found);
    return found;
  }

  /** One byte more than a line's most is kept, in case it is the CR of its line break. */
  #hold(part: Uint8Array): void {
    if (this.#tooLong) return;
    if (this.#held.length + part.length <= this.#maxBytes + 1) return this.#held.append(part);
    this.#tooLong = true;
    this.#held.take();
  }

  #finish(tail: Uint8Array, found: NdjsonLine[]): void {
    const started = this.#held.length > 0;
    if (started) this.#hold(tail);
    const line = withoutCr(started ? this.#held.take() : tail);
    const tooLong = this.#tooLong || line.length > this.#maxBytes;
    const number = ++this.#number;
    if (tooLong) found.push({ number, bytes: undefined });
    else if (!isBlank(line)) found.push({ number, bytes: line });
    this.#tooLong = false;
  }
}

function withoutCr(line: Uint8Array): Uint8Array {
  return line[line.length - 1] === CR ? line.subarray(0, -1) : line;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === SPACE || byte === TAB || byte === CR);
}
