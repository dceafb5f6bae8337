/** All that a topic keeps, given to one subscriber. */
import { Keys } from "../../../lib/redis/keys.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { HttpSocket } from "../load/http_socket.ts";
import { measureRate } from "../load_process.ts";
import { DATA } from "../message.ts";
import { NO_REWRITE } from "../redis_flags.ts";
import { startRunnel } from "../runnel.ts";
import { sampleOf } from "../statistics.ts";

const MESSAGES = 1_000_000;
/** Where the measurements are to be short. */
const FEW_MESSAGES = 100_000;
const TOPIC = "bench";
const BATCH = 1_000;
const CONNECTIONS = 4;
/** As many as Runnel reads at a time of messages of this size. */
const PAGE = 2_000;

/** Messages a second from the first of a topic on, beside its Redis stream read page by page. */
export const replayBench: Bench = {
  name: "replay",
  about: `${MESSAGES} messages since=earliest to one subscriber, against XRANGE pages of ${PAGE}`,
  async run(options: BenchOptions): Promise<Row[]> {
    const count = options.seconds === 1 ? FEW_MESSAGES : MESSAGES;
    await using runnel = await startRunnel({
      redis: { appendfsync: "everysec", args: NO_REWRITE },
    });
    await fill(runnel.port, count);
    const results = await takeTurns(options, {
      pages: () =>
        measureRate({
          role: "pages",
          port: runnel.redis.port,
          key: new Keys({ prefix: "rn", partition: 0, db: 0 }).topic(TOPIC),
          ...{ count, page: PAGE },
        }),
      runnel: () =>
        measureRate({
          role: "replay",
          port: runnel.port,
          streamPath: `/subscribe?topic=${TOPIC}&since=earliest`,
          count,
        }),
    });
    return [{
      name: `replay of ${count} messages`,
      unit: "messages/s",
      runnel: sampleOf(results.runnel),
      baselineName: `XRANGE COUNT ${PAGE} (ioredis)`,
      baseline: sampleOf(results.pages),
      aim: { ratio: 0.5, better: "higher" },
      note: "the pages are parsed by the client library alone, the events are counted as bytes",
    }];
  },
};

async function fill(port: number, count: number): Promise<void> {
  using socket = await HttpSocket.connect(port);
  await socket.ask(`/topics/${TOPIC}`, { maxMessages: count }, "PUT");
  const batch = Array.from({ length: BATCH }, () => ({ topic: TOPIC, data: DATA }));
  let left = count / BATCH;
  await Promise.all(Array.from({ length: CONNECTIONS }, async () => {
    using own = await HttpSocket.connect(port);
    while (left-- > 0) await own.ask("/batch", batch);
  }));
  const { messages } = await socket.ask<{ messages: number }>(
    `/topics/${TOPIC}`,
    undefined,
    "GET",
  );
  if (messages !== count) throw new Error(`Cannot measure: ${messages} of ${count} are kept`);
}
