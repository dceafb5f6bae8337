/** Publishing and subscribing that goes on while somebody else looks at the servers. */
import { postBytes } from "./http_socket.ts";
import { marksIn } from "./marks.ts";
import { pace } from "./pacer.ts";
import type { TrafficCount, TrafficPlan } from "./plan.ts";
import { RequestLoop } from "./requests.ts";
import { SocketPool } from "./socket_pool.ts";
import { openStreams } from "./streams.ts";

/** Longer than anybody looks. */
const PACE_SECONDS = 3_600;
const LINE_FEED = 10;

/** Opens the streams, begins to publish, and prints a count for each line of stdin, the first one unasked. */
export async function runTraffic(plan: TrafficPlan): Promise<TrafficCount> {
  let delivered = 0;
  const onBytes = (bytes: Uint8Array) => delivered += marksIn(bytes);
  await using streams = new AsyncDisposableStack();
  for (const stream of plan.streams) {
    streams.use(await openStreams(plan.port, { ...stream, onBytes }));
  }
  await using publishing = await startPublishing(plan);
  const count = () => ({ ...publishing.count(), delivered });
  console.log(JSON.stringify(count()));
  for await (const bytes of Deno.stdin.readable) {
    for (const byte of bytes) if (byte === LINE_FEED) console.log(JSON.stringify(count()));
  }
  return count();
}

interface Publishing extends AsyncDisposable {
  count(): Omit<TrafficCount, "delivered">;
}

async function startPublishing(plan: TrafficPlan): Promise<Publishing> {
  const { port, load } = plan;
  const requests = bodiesOf(plan).map((body) => postBytes("/publish", body));
  if ("rate" in load) return await startPacing(port, { requests, rate: load.rate });
  const loop = new RequestLoop();
  loop.start(port, { requests, connections: load.connections });
  return {
    count: () => ({ published: loop.count, failures: loop.failures }),
    [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose](),
  };
}

function bodiesOf({ bodies, topics }: TrafficPlan): readonly string[] {
  if (topics === undefined) return bodies;
  const messages = bodies.map((body) => JSON.parse(body));
  return Array.from({ length: topics }, (_, n) => n).flatMap((n) =>
    messages.map((message) => JSON.stringify({ ...message, topic: `${message.topic}.${n}` }))
  );
}

async function startPacing(
  port: number,
  { requests, rate }: { requests: readonly Uint8Array[]; rate: number },
): Promise<Publishing> {
  const pool = await SocketPool.open(port);
  const end = new AbortController();
  const pacing = pace({ rate, seconds: PACE_SECONDS, signal: end.signal }, (n) => {
    const request = requests[n % requests.length];
    if (request) pool.send(request);
  });
  return {
    // the pool ends the process where a request fails
    count: () => ({ published: pool.answered, failures: 0 }),
    async [Symbol.asyncDispose]() {
      end.abort();
      await pacing;
      await pool[Symbol.asyncDispose]();
    },
  };
}
