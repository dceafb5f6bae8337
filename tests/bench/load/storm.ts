/** Subscribers that come back at once. */
import { deadline } from "../../_support/until.ts";
import { streamBytes, writeAll } from "./http_socket.ts";
import { marksIn } from "./marks.ts";
import type { StormPlan, StormResult } from "./plan.ts";
import { readAll } from "./readers.ts";

/** Connections that are opened at a time: what a server's queue of them takes. */
const AT_ONCE = 100;
const MOST_MS = 60_000;
const BUFFER_BYTES = 16_384;
const OK = "HTTP/1.1 200";
const latin1 = new TextDecoder("latin1");

/**
 * Connects, says so, and lets the storm loose at the next line of stdin.
 *
 * @throws {Error} when a subscriber is refused, is cut off, or gets more than it missed.
 */
export async function runStorm(plan: StormPlan): Promise<StormResult> {
  const connections = await connectAll(plan);
  console.log(JSON.stringify({ connected: connections.length }));
  await Deno.stdin.read(new Uint8Array(1));
  const request = streamBytes(plan.streamPath, plan.lastEventId);
  const start = performance.now();
  const catchingUp = connections.map(async (connection) => {
    await writeAll(connection, request);
    await catchUp(connection, plan.missed);
    return (performance.now() - start) / 1000;
  });
  const times = await deadline(Promise.all(catchingUp), MOST_MS, "all to catch up");
  for (const connection of connections) connection.close();
  times.sort((a, b) => a - b);
  return { median: times[times.length >> 1] ?? 0, last: times.at(-1) ?? 0 };
}

async function connectAll({ port, subscribers }: StormPlan): Promise<Deno.TcpConn[]> {
  const connections: Deno.TcpConn[] = [];
  while (connections.length < subscribers) {
    const length = Math.min(AT_ONCE, subscribers - connections.length);
    connections.push(
      ...await Promise.all(
        Array.from({ length }, () => Deno.connect({ hostname: "127.0.0.1", port })),
      ),
    );
  }
  return connections;
}

/** Resolves when all that was missed has come; what follows is read and left. */
async function catchUp(connection: Deno.TcpConn, missed: number): Promise<void> {
  const caughtUp = Promise.withResolvers<void>();
  let count = 0;
  let status = "";
  const onBytes = (bytes: Uint8Array) => {
    status ||= latin1.decode(bytes.subarray(0, OK.length));
    if (status !== OK) caughtUp.reject(new Error(`Cannot measure: a stream began with ${status}`));
    count += marksIn(bytes);
    if (count >= missed) caughtUp.resolve();
  };
  const reading = readAll(connection, { onBytes, bufferBytes: BUFFER_BYTES });
  // once all has come, the end of the stream is this process's own doing, and nobody looks
  const cutOff = reading.then(() => {
    throw new Error(`Cannot measure: a stream ended after ${count} of ${missed} messages`);
  });
  await Promise.race([caughtUp.promise, cutOff]);
  if (count > missed) throw new Error(`Cannot measure: ${count} messages came, not ${missed}`);
}
