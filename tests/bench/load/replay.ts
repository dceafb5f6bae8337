/** All that a topic keeps, read by one reader: a stream of Runnel, or pages of the Redis stream itself. */
import { Redis } from "ioredis";
import { deadline } from "../../_support/until.ts";
import { streamBytes, writeAll } from "./http_socket.ts";
import { marksIn } from "./marks.ts";
import type { PagesPlan, RateResult, ReplayPlan } from "./plan.ts";

const MOST_MS = 300_000;
const BUFFER_BYTES = 1 << 18;

/**
 * Messages of an event stream, from the request to the last of them.
 *
 * @throws {Error} when the stream ends before, or gives more.
 */
export async function measureReplay(plan: ReplayPlan): Promise<RateResult> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: plan.port });
  try {
    const start = performance.now();
    await writeAll(connection, streamBytes(plan.streamPath));
    const count = await deadline(readMarks(connection, plan.count), MOST_MS, "the whole replay");
    return rate(count, start, plan.count);
  } finally {
    connection.close();
  }
}

/**
 * The same by `XRANGE`, a page after the other. What is read is parsed by the client library and then dropped.
 *
 * @throws {Error} when the stream holds another number of messages.
 */
export async function measurePages({ port, key, count, page }: PagesPlan): Promise<RateResult> {
  const redis = new Redis(port, "127.0.0.1");
  try {
    await redis.ping();
    const start = performance.now();
    let read = 0;
    for (let after = "-";;) {
      const entries = await redis.xrange(key, after, "+", "COUNT", page);
      read += entries.length;
      const last = entries.at(-1)?.[0];
      if (last === undefined || entries.length < page) break;
      after = `(${last}`;
    }
    return rate(read, start, count);
  } finally {
    redis.disconnect();
  }
}

async function readMarks(connection: Deno.TcpConn, wanted: number): Promise<number> {
  const buffer = new Uint8Array(BUFFER_BYTES);
  let count = 0;
  while (count < wanted) {
    const size = await connection.read(buffer);
    if (size === null) break;
    count += marksIn(buffer.subarray(0, size));
  }
  return count;
}

function rate(count: number, start: number, wanted: number): RateResult {
  if (count !== wanted) throw new Error(`Cannot measure: ${count} messages came, not ${wanted}`);
  return { count, seconds: (performance.now() - start) / 1000, failures: 0 };
}
