/** Readers of event streams over raw sockets. */
import { sleep } from "../../_support/until.ts";
import { streamBytes, writeAll } from "./http_socket.ts";
import type { ReadingTurns } from "./turns.ts";

/** Options of {@link openStreams}. */
export interface StreamsOptions {
  /** Of all, or of the stream with a number from 0. */
  readonly path: string | ((n: number) => string);
  readonly count: number;
  /** Whether they read a byte a second from when they are open, and nobody sees it. @default false */
  readonly slow?: boolean;
  /** Sees the bytes of each read, and the number of their stream; the array is used again. */
  readonly onBytes?: (bytes: Uint8Array, n: number) => void;
  readonly turns?: ReadingTurns;
}

const AT_ONCE = 50;
const decoder = new TextDecoder("latin1");

/**
 * Opens the streams, a few at a time, and waits until each has its first block of events.
 *
 * @throws {Error} when one is answered with anything but 200.
 */
export function openStreams(
  port: number,
  { path, onBytes = () => {}, ...options }: StreamsOptions,
): Promise<AsyncDisposable> {
  return openReaders(port, {
    ...options,
    open: async (connection, n) => {
      await writeAll(connection, streamBytes(typeof path === "string" ? path : path(n)));
      await firstBlock(connection);
      return (bytes) => onBytes(bytes, n);
    },
  });
}

/** Options of {@link openReaders}. */
export interface ReadersOptions {
  readonly count: number;
  /** Does what comes before the messages; returns what then sees the bytes of each read, in an array that is used again. */
  readonly open: (connection: Deno.TcpConn, n: number) => Promise<(bytes: Uint8Array) => void>;
  /** When each may read. @default as soon as there is something */
  readonly turns?: ReadingTurns;
  /** See {@link StreamsOptions.slow}. */
  readonly slow?: boolean;
}

/** Opens connections, a few at a time, and reads all of them until disposed of. */
export async function openReaders(
  port: number,
  { count, open, turns, slow = false }: ReadersOptions,
): Promise<AsyncDisposable> {
  const connections: Deno.TcpConn[] = [];
  const running: Promise<void>[] = [];
  for (let opened = 0; opened < count; opened += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - opened);
    await Promise.all(Array.from({ length: size }, async (_, index) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection);
      const onBytes = await open(connection, opened + index);
      running.push(
        slow ? readSlowly(connection) : readAll(connection, { onBytes, turn: turns?.seat() }),
      );
    }));
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.close();
      turns?.[Symbol.dispose]();
      await Promise.all(running);
    },
  };
}

async function firstBlock(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  let text = "";
  // Headers, then a blank line after at least one line of the stream itself.
  while (!/\r\n\r\n[^]*\n\n/.test(text)) {
    const size = await connection.read(buffer);
    if (size === null) throw new Error(`Cannot open a stream: ${text}`);
    text += decoder.decode(buffer.subarray(0, size));
    if (!text.startsWith("HTTP/1.1 200")) throw new Error(`Cannot open a stream: ${text}`);
  }
}

// Small, because 10,000 readers have one each.
const BUFFER_BYTES = 16_384;
const BUFFER_BYTES_IN_TURNS = 65_536;

interface Reading {
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly turn?: (() => Promise<void>) | undefined;
}

/** Reads until the stream or its connection is closed. */
export async function readAll(
  connection: Deno.TcpConn,
  { onBytes, turn }: Reading,
): Promise<void> {
  const buffer = new Uint8Array(turn ? BUFFER_BYTES_IN_TURNS : BUFFER_BYTES);
  try {
    for (let size; (size = await connection.read(buffer)) !== null;) {
      onBytes(buffer.subarray(0, size));
      // a full buffer has more behind it
      if (turn && size < buffer.length) await turn();
    }
  } catch {
    // It was closed under the read, which is how a stream ends here.
  }
}

/** A byte a second, until the connection is closed. */
async function readSlowly(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(1);
  try {
    while (await connection.read(buffer) !== null) await sleep(1_000);
  } catch {
    // It was closed under the read or the wait, which is how a stream ends here.
  }
}
