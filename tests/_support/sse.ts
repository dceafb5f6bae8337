/** A strict reader of event streams for tests. It reads the network only when it is asked to. */
import { AssertionError } from "node:assert/strict";
import { type SseBlock, SseParser } from "./sse_parser.ts";
import { deadline } from "./until.ts";

export type { SseBlock } from "./sse_parser.ts";

/** An event that a browser would fire. */
export interface SseEvent extends SseBlock {
  readonly data: string;
}

/** A message as subscribers get it, as far as tests look at it. */
export interface ReceivedMessage {
  readonly id: string | null;
  readonly topic: string;
  readonly time: string;
  readonly data?: unknown;
  readonly dataBase64?: string;
  readonly type?: string;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly contentType?: string;
}

/** Options of {@link openStream}. */
export interface StreamOptions {
  /** @default {} */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Sends the request. @default the global fetch */
  readonly fetch?: (request: Request) => Promise<Response>;
  /** Milliseconds that one event may take to come. @default 10000 */
  readonly timeoutMs?: number;
}

/**
 * Opens a stream and waits for its headers.
 *
 * @throws {AssertionError} when the answer is no event stream; the message holds status and body.
 */
export async function openStream(url: string | URL, options: StreamOptions = {}) {
  const { headers = {}, fetch: send = fetch, timeoutMs = 10_000 } = options;
  const controller = new AbortController();
  const stop = () => controller.abort(options.signal?.reason);
  if (options.signal?.aborted) stop();
  options.signal?.addEventListener("abort", stop, { once: true });
  const request = new Request(url, {
    headers: { accept: "text/event-stream", ...headers },
    signal: controller.signal,
  });
  const response = await deadline(send(request), timeoutMs, `the headers of ${url}`);
  const type = response.headers.get("content-type") ?? "";
  if (response.status !== 200 || !/^text\/event-stream\b/.test(type) || !response.body) {
    const text = await response.text();
    throw new AssertionError({ message: `No event stream: ${response.status} ${type} ${text}` });
  }
  const close = () => {
    options.signal?.removeEventListener("abort", stop);
    controller.abort();
  };
  return new EventStream(response, { close, timeoutMs });
}

/** An open event stream. Iterating gives what a browser would fire. */
export class EventStream implements AsyncIterable<SseEvent>, AsyncDisposable {
  readonly response: Response;
  /** Every block read so far: comments and bare ids too. */
  readonly blocks: SseBlock[] = [];
  /** Bytes read so far. */
  bytes = 0;
  readonly #parser = new SseParser();
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #close: () => void;
  readonly #timeoutMs: number;
  readonly #queue: SseBlock[] = [];
  #reading: Promise<boolean> | undefined;

  constructor(response: Response, options: { close: () => void; timeoutMs: number }) {
    if (!response.body) throw new TypeError("Cannot read events: the response has no body");
    this.response = response;
    this.#reader = response.body.getReader();
    this.#close = options.close;
    this.#timeoutMs = options.timeoutMs;
  }

  /** What a browser would send as `Last-Event-ID` if it had to reconnect now. */
  get lastEventId(): string {
    return this.blocks.at(-1)?.id ?? "";
  }

  /** The next block, comments and bare ids included; undefined at the stream's end. */
  async nextBlock(timeoutMs: number = this.#timeoutMs): Promise<SseBlock | undefined> {
    const end = performance.now() + timeoutMs;
    while (this.#queue.length === 0) {
      // A read that outlives its deadline is kept: its bytes belong to whoever asks next.
      this.#reading ??= this.#read();
      const left = Math.max(0, end - performance.now());
      const more = await deadline(
        this.#reading,
        left,
        `an event (${this.blocks.length} blocks came)`,
      );
      this.#reading = undefined;
      if (!more) return undefined;
    }
    const block = this.#queue.shift();
    if (block) this.blocks.push(block);
    return block;
  }

  /**
   * The next event; undefined at the stream's end.
   *
   * @throws {AssertionError} when none comes in time.
   */
  async next(timeoutMs: number = this.#timeoutMs): Promise<SseEvent | undefined> {
    const end = performance.now() + timeoutMs;
    while (true) {
      const block = await this.nextBlock(Math.max(0, end - performance.now()));
      if (!block) return undefined;
      if (isEvent(block)) return block;
    }
  }

  /**
   * The next `n` events.
   *
   * @throws {AssertionError} when the stream ends first.
   */
  async take(n: number): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    while (events.length < n) events.push(await this.#nextOrFail(`${n} events`, events.length));
    return events;
  }

  /**
   * The next `n` messages, parsed; system events on the way stay in {@link blocks}.
   *
   * @throws {AssertionError} when the stream ends first.
   */
  async messages(n: number): Promise<ReceivedMessage[]> {
    const messages: ReceivedMessage[] = [];
    while (messages.length < n) {
      const event = await this.#nextOrFail(`${n} messages`, messages.length);
      if (!event.event.startsWith("$")) messages.push(JSON.parse(event.data));
    }
    return messages;
  }

  /**
   * All events up to and with the first that fits; a string is an event's name.
   *
   * @throws {AssertionError} when the stream ends first.
   */
  async until(fits: string | ((event: SseEvent) => boolean)): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    const isLast = typeof fits === "string" ? (event: SseEvent) => event.event === fits : fits;
    while (true) {
      const event = await this.#nextOrFail(`the event ${fits}`, events.length);
      events.push(event);
      if (isLast(event)) return events;
    }
  }

  /** Reads until the server ends the stream and returns the events of that time. */
  async rest(): Promise<SseEvent[]> {
    const events: SseEvent[] = [];
    for await (const event of this) events.push(event);
    return events;
  }

  /** Drops the connection. */
  async close(): Promise<void> {
    this.#close();
    await this.#reading?.catch(() => {});
    await this.#reader.cancel().catch(() => {});
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<SseEvent> {
    while (true) {
      const event = await this.next();
      if (!event) return;
      yield event;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #nextOrFail(what: string, seen: number): Promise<SseEvent> {
    const event = await this.next();
    if (event) return event;
    throw new AssertionError({ message: `The stream ended before ${what} came: ${seen} seen` });
  }

  async #read(): Promise<boolean> {
    const { done, value } = await this.#reader.read();
    if (done) return false;
    this.bytes += value.length;
    this.#queue.push(...this.#parser.push(value));
    return true;
  }
}

function isEvent(block: SseBlock): block is SseEvent {
  return block.data !== undefined;
}
