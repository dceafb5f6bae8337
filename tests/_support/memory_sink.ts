/** A client that tests can make slow, fast or gone. */
import type { Sink } from "../../lib/broker/sink.ts";
import { type SseBlock, SseParser } from "./sse_parser.ts";
import { until } from "./until.ts";

/** Keeps what is written to it, and takes it at once unless it is held. */
export class MemorySink implements Sink {
  /** Every block so far, bare ids and comments too. */
  readonly blocks: SseBlock[] = [];
  ended = false;
  /** The largest backlog so far. */
  highWater = 0;
  readonly #parser = new SseParser();
  readonly #gone = new AbortController();
  #held = false;
  #backlog = 0;
  #taken = Promise.withResolvers<void>();

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  get backlog(): number {
    return this.#backlog;
  }

  write(bytes: Uint8Array): void {
    if (this.ended || this.#gone.signal.aborted) return;
    this.blocks.push(...this.#parser.push(bytes));
    if (this.#held) this.#backlog += bytes.length;
    this.highWater = Math.max(this.highWater, this.#backlog);
  }

  async drained(): Promise<void> {
    while (this.#backlog > 0 && !this.#gone.signal.aborted) await this.#taken.promise;
  }

  end(): void {
    this.ended = true;
  }

  /** Reads nothing from now on. */
  hold(): void {
    this.#held = true;
  }

  /** Reads what waits; goes on holding where it did. */
  take(): void {
    this.#backlog = 0;
    this.#taken.resolve();
    this.#taken = Promise.withResolvers();
  }

  /** Reads again. */
  release(): void {
    this.#held = false;
    this.take();
  }

  /** Goes away. */
  leave(): void {
    this.#gone.abort();
    this.take();
  }

  /** The blocks of one event. */
  events(name: string): SseBlock[] {
    return this.blocks.filter(({ event, data }) => event === name && data !== undefined);
  }

  /** The ids of the messages, in the order in which they came. */
  get ids(): (string | null)[] {
    return this.events("message").map(({ data }) => JSON.parse(data ?? "").id);
  }

  /** The data of the messages, likewise. */
  get data(): unknown[] {
    return this.events("message").map(({ data }) => JSON.parse(data ?? "").data);
  }

  /** The system events of one kind. */
  told(name: "$ready" | "$gap" | "$bye"): Record<string, unknown>[] {
    return this.events(name).map(({ data }) => JSON.parse(data ?? ""));
  }

  /** What a browser would send as Last-Event-ID now. */
  get lastEventId(): string {
    return this.#parser.lastEventId;
  }

  /** Waits until this many messages have come. */
  async count(count: number): Promise<(string | null)[]> {
    await until(() => this.ids.length >= count, { what: `${count} messages` });
    return this.ids;
  }
}
