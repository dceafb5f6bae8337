/** Connections that are read until the end of a measurement, and that must last as long. */
import { sleep } from "../../_support/until.ts";
import { LastChunk } from "./last_chunk.ts";
import type { ReadingTurns } from "./turns.ts";

/** How one connection is read. */
export interface Reading {
  /** Sees the bytes of each read, in an array that is used again. */
  readonly onBytes: (bytes: Uint8Array) => void;
  /** Is awaited before each read but the first. @default as soon as there is something */
  readonly turn?: (() => Promise<void>) | undefined;
  readonly bufferBytes: number;
}

/** A server that drops one reader often drops others right after it: they are counted together. */
const SETTLE_MS = 200;

/** Reads connections until disposed of, which closes them. What ends before was cut off, and a measurement with it is none. */
export class Readers implements AsyncDisposable {
  readonly #connections: Deno.TcpConn[] = [];
  readonly #turns: ReadingTurns[] = [];
  readonly #running: Promise<void>[] = [];
  readonly #failed = Promise.withResolvers<never>();
  #cutOff = 0;
  #error: unknown;
  #closing = false;

  constructor() {
    // Whoever measures sees the reason; until then nobody may be waiting.
    this.#failed.promise.catch(() => {});
  }

  /** Has a connection closed at the end, from before it is read. */
  hold(connection: Deno.TcpConn): void {
    this.#connections.push(connection);
  }

  /** Has turns ended at the end, so that no reader waits for its own. */
  endTurns(turns: ReadingTurns): void {
    this.#turns.push(turns);
  }

  /** Begins to read a connection that is held. */
  read(connection: Deno.TcpConn, reading: Reading): void {
    this.#watch(readAll(connection, reading));
  }

  /** The same, at a byte a second, and nobody sees it. */
  readSlowly(connection: Deno.TcpConn): void {
    this.#watch(readSlowly(connection));
  }

  /**
   * The value of what is done while the connections are read.
   *
   * @throws {Error} as soon as a reader is cut off, and whatever a reader's `onBytes` throws.
   */
  async during<T>(work: Promise<T>): Promise<T> {
    const value = await Promise.race([work, this.#failed.promise]);
    if (this.#cutOff > 0 || this.#error !== undefined) throw this.#reason();
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    for (const connection of this.#connections) connection.close();
    for (const turns of this.#turns) turns[Symbol.dispose]();
    await Promise.all(this.#running);
  }

  #watch(reading: Promise<void>): void {
    this.#running.push(reading.then(() => this.#end(), (error) => this.#fail(error)));
  }

  async #end(): Promise<void> {
    if (this.#closing || this.#cutOff++ > 0) return;
    await sleep(SETTLE_MS);
    this.#failed.reject(this.#reason());
  }

  #fail(error: unknown): void {
    this.#error ??= error;
    this.#failed.reject(error);
  }

  #reason(): unknown {
    if (this.#error !== undefined) return this.#error;
    const all = this.#running.length;
    return new Error(`Cannot measure: ${this.#cutOff} of ${all} readers were cut off`);
  }
}

/** Reads until the stream or its connection ends. @throws whatever `onBytes` throws */
export async function readAll(
  connection: Deno.TcpConn,
  { onBytes, turn, bufferBytes }: Reading,
): Promise<void> {
  const buffer = new Uint8Array(bufferBytes);
  const lastChunk = new LastChunk();
  for (let size; (size = await readOrEnd(connection, buffer)) !== null;) {
    const bytes = buffer.subarray(0, size);
    onBytes(bytes);
    if (lastChunk.endsIn(bytes)) return;
    // a full buffer has more behind it
    if (turn && size < buffer.length) await turn();
  }
}

/** A byte a second, until the stream or its connection ends. */
async function readSlowly(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1);
  const lastChunk = new LastChunk();
  while (await readOrEnd(connection, buffer) !== null && !lastChunk.endsIn(buffer)) {
    await sleep(1_000);
  }
}

/** A connection that was closed, by either side, has ended like one that was read to its end. */
async function readOrEnd(connection: Deno.TcpConn, buffer: Uint8Array): Promise<number | null> {
  try {
    return await connection.read(buffer);
  } catch {
    return null;
  }
}
