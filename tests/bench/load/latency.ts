/** From publish to receive, at a fixed rate, sender and receiver on one clock. */
import { Redis } from "ioredis";
import { watchEffort } from "./effort.ts";
import { postBytes } from "./http_socket.ts";
import { pace } from "./pacer.ts";
import type { LatencyPlan, LatencyResult, PubSubLatencyPlan } from "./plan.ts";
import { Readers } from "./readers.ts";
import { SocketPool } from "./socket_pool.ts";
import { openStreams } from "./streams.ts";
import { until } from "../../_support/until.ts";

const PADDING = "x".repeat(160);

/** A step between topics that has no factor in common with a round number of them, so that each gets as many. */
const STRIDE = 7_919;

/** Latencies over HTTP: a pool of connections posts, a raw event stream for each topic receives. */
export async function measureLatency(plan: LatencyPlan): Promise<LatencyResult> {
  const { port, topics = 1 } = plan;
  const topicOf = (n: number) => topics === 1 ? "latency" : `latency.${n * STRIDE % topics}`;
  const clock = new Clock();
  const decoder = new TextDecoder("latin1");
  const texts: string[] = new Array(topics).fill("");
  const onBytes = (bytes: Uint8Array, stream: number) => {
    const text = texts[stream] + decoder.decode(bytes);
    const end = text.lastIndexOf("\n") + 1;
    for (const match of text.slice(0, end).matchAll(/~(\d+)~/g)) clock.received(Number(match[1]));
    texts[stream] = text.slice(end);
  };
  const path = (n: number) => `${plan.streamPath}?topic=${topicOf(n)}`;
  await using readers = new Readers();
  await openStreams(readers, port, { path, count: topics, onBytes });
  await using pool = await SocketPool.open(port);
  return await readers.during(clock.run(plan, (n) => {
    const body = JSON.stringify({ topic: topicOf(n), data: `~${n}~${PADDING}` });
    pool.send(postBytes(plan.publishPath, body));
  }));
}

/** Latencies over bare Redis PUBLISH and SUBSCRIBE with two connections of the same client library. */
export async function measurePubSubLatency(plan: PubSubLatencyPlan): Promise<LatencyResult> {
  const clock = new Clock();
  const publisher = new Redis(plan.port, "127.0.0.1");
  const subscriber = new Redis(plan.port, "127.0.0.1");
  try {
    subscriber.on("message", (_channel, text) => clock.received(Number(text.split("~")[1])));
    await subscriber.subscribe("latency");
    return await clock.run(plan, (n) => {
      void publisher.publish("latency", `~${n}~${PADDING}`);
    });
  } finally {
    publisher.disconnect();
    subscriber.disconnect();
  }
}

/** Notes when each message was due and when it came. */
class Clock {
  readonly #sent: number[] = [];
  readonly #latencies: number[] = [];
  #came = 0;

  received(n: number): void {
    const sent = this.#sent[n];
    if (sent === undefined) throw new Error(`Cannot time message ${n}: it was never sent`);
    if (this.#latencies[n] !== undefined) {
      throw new Error(`Cannot time message ${n}: it came twice`);
    }
    this.#latencies[n] = performance.now() - sent;
    this.#came++;
  }

  async run(
    { rate, seconds, warmUpSeconds }: { rate: number; seconds: number; warmUpSeconds: number },
    send: (n: number) => void,
  ): Promise<LatencyResult> {
    const first = Math.round(rate * warmUpSeconds);
    let effort = watchEffort();
    const sent = await pace({ rate, seconds: seconds + warmUpSeconds }, (n) => {
      if (n === first) effort = watchEffort();
      this.#sent[n] = performance.now();
      send(n);
    });
    await until(() => this.#came === sent, { what: `all of ${sent} messages` });
    const measured = this.#latencies.slice(first);
    return { latenciesMs: measured.sort((a, b) => a - b), sent, ...effort() };
  }
}
