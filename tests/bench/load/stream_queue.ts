/** A bare Redis stream with a consumer group as a queue. */
import { Redis } from "ioredis";
import { workData } from "../message.ts";
import type { WorkOptions, WorkQueue } from "./work.ts";

const KEY = "bench:work";
const GROUP = "bench";
const BATCH = 500;

/** One stream, its entries of one field. */
type Read = readonly (readonly [key: string, entries: readonly (readonly [string, string[]])[]])[];

/** Makes a stream and its group, in the Redis of this port. */
export async function openStreamQueue(port: number): Promise<WorkQueue> {
  const redis = new Redis(port, "127.0.0.1");
  await redis.xgroup("CREATE", KEY, GROUP, "0", "MKSTREAM");
  return {
    async fill(count) {
      for (let from = 0; from < count; from += BATCH) {
        const pipeline = redis.pipeline();
        for (let n = from; n < Math.min(count, from + BATCH); n++) {
          pipeline.xadd(KEY, "*", "m", JSON.stringify(workData(n)));
        }
        await pipeline.exec();
      }
    },
    async work(options) {
      const consumers = Array.from({ length: options.consumers }, (_, n) => consume(n));
      await Promise.all(consumers);

      async function consume(n: number): Promise<void> {
        const own = new Redis(port, "127.0.0.1");
        await readAndAck(own, { ...options, consumer: `consumer-${n}` });
        own.disconnect();
      }
    },
    async left() {
      const [pending] = await redis.xpending(KEY, GROUP);
      return Number(pending);
    },
    async [Symbol.asyncDispose]() {
      await redis.del(KEY);
      redis.disconnect();
    },
  };
}

async function readAndAck(
  redis: Redis,
  { consumer, batch, ledger }: WorkOptions & { readonly consumer: string },
): Promise<void> {
  while (true) {
    const read = redis.xreadgroup("GROUP", GROUP, consumer, "COUNT", batch, "STREAMS", KEY, ">");
    // The client has no type for the reply of a stream read.
    const [stream] = (await read as Read | null) ?? [];
    if (!stream) return;
    const entries = stream[1];
    for (const [, [, text = ""]] of entries) ledger.take(JSON.parse(text).n);
    ledger.acknowledge(await redis.xack(KEY, GROUP, ...entries.map(([id]) => id)));
  }
}
