/** Requests that wait for their answers. */
import { postBytes, writeAll } from "./http_socket.ts";
import type { Readers } from "./readers.ts";
import { openReaders } from "./streams.ts";

/** Options of {@link holdRequests}. */
export interface HoldOptions {
  readonly path: string;
  /** JSON text. */
  readonly body: string;
  readonly connections: number;
}

const utf8 = new TextDecoder();

/**
 * Sends the request on each of the connections, a few at a time, and leaves them to the readers, which throw when one is
 * answered.
 */
export function holdRequests(
  readers: Readers,
  port: number,
  { path, body, connections: count }: HoldOptions,
): Promise<void> {
  const request = postBytes(path, body);
  return openReaders(readers, port, {
    count,
    open: async (connection) => {
      await writeAll(connection, request);
      return (bytes) => {
        throw new Error(`Cannot measure: a request that waits was answered: ${utf8.decode(bytes)}`);
      };
    },
  });
}
