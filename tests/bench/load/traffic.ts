/** Publishing and subscribing that goes on while somebody else looks at the servers. */
import process from "node:process";
import { requestsOf } from "./bodies.ts";
import { marksIn } from "./marks.ts";
import { pace } from "./pacer.ts";
import type { TrafficCount, TrafficPlan } from "./plan.ts";
import { Readers } from "./readers.ts";
import { RequestLoop } from "./requests.ts";
import { SocketPool } from "./socket_pool.ts";
import { openStreams } from "./streams.ts";
import { ReadingTurns } from "./turns.ts";

/** Longer than anybody looks. */
const PACE_SECONDS = 3_600;
const LINE_FEED = 10;

/** Opens the streams, begins to publish, and prints a count for each line of stdin, the first one unasked. */
export async function runTraffic(plan: TrafficPlan): Promise<TrafficCount> {
  let delivered = 0;
  const onBytes = (bytes: Uint8Array) => delivered += marksIn(bytes, plan.marksApart);
  await using readers = new Readers();
  for (const stream of plan.streams) {
    const turns = plan.turns ? { turns: new ReadingTurns() } : {};
    await openStreams(readers, plan.port, { ...stream, ...turns, onBytes });
  }
  await using publishing = await startPublishing(plan);
  const count = () => {
    const { user, system } = process.cpuUsage();
    return { ...publishing.count(), delivered, cpuSeconds: (user + system) / 1e6 };
  };
  console.log(JSON.stringify(count()));
  await readers.during(answerLines(count));
  return count();
}

async function answerLines(count: () => TrafficCount): Promise<void> {
  for await (const bytes of Deno.stdin.readable) {
    for (const byte of bytes) if (byte === LINE_FEED) console.log(JSON.stringify(count()));
  }
}

interface Publishing extends AsyncDisposable {
  count(): Pick<TrafficCount, "published" | "failures">;
}

async function startPublishing(plan: TrafficPlan): Promise<Publishing> {
  const { port, load, batch = 1 } = plan;
  const requests = requestsOf(plan);
  if ("rate" in load) return await startPacing(port, { requests, batch, rate: load.rate });
  const loop = new RequestLoop();
  loop.start(port, { requests, connections: load.connections });
  return {
    count: () => ({ published: loop.count * batch, failures: loop.failures }),
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  };
}

async function startPacing(
  port: number,
  { requests, batch, rate }: {
    requests: readonly Uint8Array[];
    batch: number;
    rate: number;
  },
): Promise<Publishing> {
  const pool = await SocketPool.open(port);
  const end = new AbortController();
  const pacing = pace({ rate: rate / batch, seconds: PACE_SECONDS, signal: end.signal }, (n) => {
    const request = requests[n % requests.length];
    if (request) pool.send(request);
  });
  return {
    // the pool ends the process where a request fails
    count: () => ({ published: pool.answered * batch, failures: 0 }),
    async [Symbol.asyncDispose]() {
      end.abort();
      await pacing;
      await pool[Symbol.asyncDispose]();
    },
  };
}
