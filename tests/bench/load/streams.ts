/** Readers of event streams over raw sockets. */
import { streamBytes, writeAll } from "./http_socket.ts";
import { LastChunk } from "./last_chunk.ts";
import type { Readers } from "./readers.ts";
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
const BUFFER_BYTES = 16_384;
// 700 MB for 10,000 readers; with an eighth of it a load that takes a whole core read two fifths less
const BUFFER_BYTES_IN_TURNS = 65_536;
const decoder = new TextDecoder("latin1");

/**
 * Opens the streams, a few at a time, waits until each has its first block of events, and leaves them to the readers.
 *
 * @throws {Error} when one is answered with anything but 200, or ends at once.
 */
export function openStreams(
  readers: Readers,
  port: number,
  { path, onBytes = () => {}, ...options }: StreamsOptions,
): Promise<void> {
  return openReaders(readers, port, {
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

/** Opens connections, a few at a time, and leaves them to the readers. */
export async function openReaders(
  readers: Readers,
  port: number,
  { count, open, turns, slow = false }: ReadersOptions,
): Promise<void> {
  if (turns) readers.endTurns(turns);
  const bufferBytes = turns ? BUFFER_BYTES_IN_TURNS : BUFFER_BYTES;
  for (let opened = 0; opened < count; opened += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - opened);
    await Promise.all(Array.from({ length: size }, async (_, index) => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      readers.hold(connection);
      const onBytes = await open(connection, opened + index);
      if (slow) readers.readSlowly(connection);
      else readers.read(connection, { onBytes, turn: turns?.seat(), bufferBytes });
    }));
  }
}

async function firstBlock(connection: Deno.TcpConn): Promise<void> {
  const buffer = new Uint8Array(4096);
  const lastChunk = new LastChunk();
  let text = "";
  // Headers, then a blank line after at least one line of the stream itself.
  while (!/\r\n\r\n[^]*\n\n/.test(text)) {
    const size = await connection.read(buffer);
    if (size === null) throw new Error(`Cannot open a stream: ${text}`);
    const bytes = buffer.subarray(0, size);
    text += decoder.decode(bytes);
    if (!text.startsWith("HTTP/1.1 200") || lastChunk.endsIn(bytes)) {
      throw new Error(`Cannot open a stream: ${text}`);
    }
  }
}
