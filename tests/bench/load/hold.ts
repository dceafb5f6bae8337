/** Requests that wait for their answers. */
import { postBytes, writeAll } from "./http_socket.ts";

/** Options of {@link holdRequests}. */
export interface HoldOptions {
  readonly path: string;
  /** JSON text. */
  readonly body: string;
  readonly connections: number;
}

const AT_ONCE = 50;

/** Sends the request on each of the connections, a few at a time, and leaves the answers unread. */
export async function holdRequests(port: number, options: HoldOptions): Promise<AsyncDisposable> {
  const request = postBytes(options.path, options.body);
  const connections: Deno.TcpConn[] = [];
  for (let opened = 0; opened < options.connections; opened += AT_ONCE) {
    const size = Math.min(AT_ONCE, options.connections - opened);
    await Promise.all(Array.from({ length: size }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection);
      await writeAll(connection, request);
    }));
  }
  return {
    [Symbol.asyncDispose]() {
      for (const connection of connections) connection.close();
      return Promise.resolve();
    },
  };
}
