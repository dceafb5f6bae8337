/** Deliveries to many subscribers of one topic. */
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { startBareServer } from "./bare_process.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "./bench.ts";
import { measureRate } from "./load_process.ts";
import { envelope } from "./message.ts";
import { sampleOf } from "./statistics.ts";

const SUBSCRIBERS = 1_000;

/** Deliveries a second, few and many publishers, beside a server that hands on without storing. */
export const fanOutBench: Bench = {
  name: "fanout",
  about: `deliveries to ${SUBSCRIBERS} SSE subscribers, against a bare in-memory fan-out server`,
  async run(options: BenchOptions): Promise<Row[]> {
    await using redis = await startRedis();
    await using server = await startServer({ redisUrl: redis.url });
    await using bare = await startBareServer();
    const rate = (port: number, publishers: number) => () =>
      measureRate({
        role: "fanout",
        port,
        publishers,
        publishPath: "/publish",
        streamPath: "/subscribe?topic=bench",
        subscribers: SUBSCRIBERS,
        body: envelope("bench"),
        warmUpSeconds: 1,
        seconds: options.seconds,
      });
    const results = await takeTurns(options, {
      "bare, 4 publishers": rate(bare.port, 4),
      "runnel, 4 publishers": rate(server.port, 4),
      "bare, 64 publishers": rate(bare.port, 64),
      "runnel, 64 publishers": rate(server.port, 64),
    });
    const common = { unit: "deliveries/s", baselineName: "bare fan-out" };
    return [
      {
        name: `deliveries, ${SUBSCRIBERS} subscribers, 4 publishers`,
        runnel: sampleOf(results["runnel, 4 publishers"]),
        baseline: sampleOf(results["bare, 4 publishers"]),
        ...common,
      },
      {
        name: `deliveries, ${SUBSCRIBERS} subscribers, 64 publishers`,
        runnel: sampleOf(results["runnel, 64 publishers"]),
        baseline: sampleOf(results["bare, 64 publishers"]),
        ...common,
      },
    ];
  },
};
