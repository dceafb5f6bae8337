/** Readers of event streams over raw sockets. */
import { streamBytes, writeAll } from "./http_socket.ts";

/** Options of {@link openStreams}. */
export interface StreamsOptions {
  readonly path: string;
  readonly count: number;
  /** Sees the bytes of each read; the array is used again. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

const AT_ONCE = 50;
const decoder = new TextDecoder("latin1");

/**
 * Opens the streams, a few at a time, and waits until each has its first block of events.
 *
 * @throws {Error} when one is answered with anything but 200.
 */
export async function openStreams(port: number, options: StreamsOptions): Promise<AsyncDisposable> {
  const connections: Deno.TcpConn[] = [];
  const running: Promise<void>[] = [];
  for (let opened = 0; opened < options.count; opened += AT_ONCE) {
    const size = Math.min(AT_ONCE, options.count - opened);
    await Promise.all(Array.from({ length: size }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection);
      await writeAll(connection, streamBytes(options.path));
      await firstBlock(connection);
      running.push(readAll(connection, options.onBytes ?? (() => {})));
    }));
  }
  return {
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.close();
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

async function readAll(
  connection: Deno.TcpConn,
  onBytes: (bytes: Uint8Array) => void,
): Promise<void> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  try {
    for (let size; (size = await connection.read(buffer)) !== null;) {
      onBytes(buffer.subarray(0, size));
    }
  } catch {
    // It was closed under the read, which is how a stream ends here.
  }
}
