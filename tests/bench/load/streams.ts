/** Readers of event streams over raw sockets. */
import { streamBytes, writeAll } from "./http_socket.ts";
import type { ReadingTurns } from "./turns.ts";

/** Options of {@link openStreams}. */
export interface StreamsOptions {
  readonly path: string;
  readonly count: number;
  /** Sees the bytes of each read; the array is used again. */
  readonly onBytes?: (bytes: Uint8Array) => void;
  readonly turns?: ReadingTurns;
}

const AT_ONCE = 50;
const decoder = new TextDecoder("latin1");

/**
 * Opens the streams, a few at a time, and waits until each has its first block of events.
 *
 * @throws {Error} when one is answered with anything but 200.
 */
export function openStreams(port: number, options: StreamsOptions): Promise<AsyncDisposable> {
  return openReaders(port, {
    ...options,
    open: async (connection) => {
      await writeAll(connection, streamBytes(options.path));
      await firstBlock(connection);
      return options.onBytes ?? (() => {});
    },
  });
}

/** Options of {@link openReaders}. */
export interface ReadersOptions {
  readonly count: number;
  /** Does what comes before the messages; returns what then sees the bytes of each read, in an array that is used again. */
  readonly open: (connection: Deno.TcpConn) => Promise<(bytes: Uint8Array) => void>;
  /** When each may read. @default as soon as there is something */
  readonly turns?: ReadingTurns;
}

/** Opens connections, a few at a time, and reads all of them until disposed of. */
export async function openReaders(
  port: number,
  { count, open, turns }: ReadersOptions,
): Promise<AsyncDisposable> {
  const connections: Deno.TcpConn[] = [];
  const running: Promise<void>[] = [];
  for (let opened = 0; opened < count; opened += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - opened);
    await Promise.all(Array.from({ length: size }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection);
      const onBytes = await open(connection);
      running.push(readAll(connection, { onBytes, turn: turns?.seat() }));
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
  readonly turn: (() => Promise<void>) | undefined;
}

async function readAll(
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
