/** Clients of Socket.IO over raw sockets: its handshake by hand, its messages counted by their frames. */
import { writeAll } from "./http_socket.ts";
import type { Readers } from "./readers.ts";
import { FrameCounter, textFrame } from "./socket_frames.ts";
import { openReaders } from "./streams.ts";
import type { ReadingTurns } from "./turns.ts";

/** Options of {@link openSocketIo}. */
export interface SocketIoOptions {
  readonly path: string;
  readonly count: number;
  /** Is told how many messages a read ended. */
  readonly onMessages: (more: number) => void;
  readonly turns?: ReadingTurns;
}

const decoder = new TextDecoder("latin1");
const CONNECT = textFrame("40");
const PONG = textFrame("3");

/**
 * Connects the clients, a few at a time, waits until each is in the main namespace, and leaves them to the readers.
 *
 * @throws {Error} when one is not let in.
 */
export function openSocketIo(
  readers: Readers,
  port: number,
  options: SocketIoOptions,
): Promise<void> {
  const upgrade = upgradeBytes(options.path);
  return openReaders(readers, port, {
    ...options,
    open: async (connection) => {
      await writeAll(connection, upgrade);
      await untilText(connection, /^HTTP\/1\.1 101 [^]*\r\n\r\n[^]+\}$/);
      await writeAll(connection, CONNECT);
      await untilText(connection, /^[^]{2}40\{[^]*\}$/);
      const frames = new FrameCounter();
      return (bytes) => {
        const { messages, pings } = frames.take(bytes);
        if (messages > 0) options.onMessages(messages);
        // a connection that is closed meanwhile needs no pong
        if (pings > 0) writeAll(connection, PONG).catch(() => {});
      };
    },
  });
}

function upgradeBytes(path: string): Uint8Array {
  const key = btoa("0123456789abcdef");
  return new TextEncoder().encode(
    `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n` +
      `sec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`,
  );
}

async function untilText(connection: Deno.TcpConn, wanted: RegExp): Promise<void> {
  const buffer = new Uint8Array(4096);
  let text = "";
  while (!wanted.test(text)) {
    const size = await connection.read(buffer);
    if (size === null || text.length > buffer.length) {
      throw new Error(`Cannot connect a Socket.IO client: ${text}`);
    }
    text += decoder.decode(buffer.subarray(0, size));
  }
}
