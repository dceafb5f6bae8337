/** From publish to receive at a fixed rate. */
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { LoadLog } from "../load_log.ts";
import { measureLatencies } from "../load_process.ts";
import { startRunnel } from "../runnel.ts";
import { percentile, sampleOf } from "../statistics.ts";

const RATE = 1_000;

/** Median and 99th percentile, beside bare Redis Pub/Sub through the same client library. */
export const latencyBench: Bench = {
  name: "latency",
  about: `publish to receive at ${RATE} messages/s, against bare Redis PUBLISH/SUBSCRIBE (ioredis)`,
  async run(options: BenchOptions): Promise<Row[]> {
    await using runnel = await startRunnel();
    const timing = { rate: RATE, warmUpSeconds: 1, seconds: options.seconds };
    const p99 = { runnel: [] as number[], bare: [] as number[] };
    const log = new LoadLog();
    const results = await takeTurns(options, {
      bare: async () => {
        const { latenciesMs: all, loadCpu } = await measureLatencies({
          role: "pubsub_latency",
          port: runnel.redis.port,
          ...timing,
        });
        log.note("bare", loadCpu);
        p99.bare.push(percentile(all, 0.99));
        return percentile(all, 0.5);
      },
      runnel: async () => {
        const paths = { publishPath: "/publish", streamPath: "/subscribe" };
        const plan = { role: "latency", port: runnel.port, ...paths, ...timing } as const;
        const { latenciesMs: all, loadCpu } = await measureLatencies(plan);
        log.note("runnel", loadCpu);
        p99.runnel.push(percentile(all, 0.99));
        return percentile(all, 0.5);
      },
    });
    const common = {
      unit: "ms",
      baselineName: "bare PUBLISH/SUBSCRIBE",
      ...log.partOf("runnel", "bare"),
      note: "Runnel stores each message with fsync before it delivers; Pub/Sub stores nothing",
    };
    return [
      {
        name: "publish to receive, p50",
        runnel: sampleOf(results.runnel),
        baseline: sampleOf(results.bare),
        aim: { ratio: 1.5, better: "lower" },
        ...common,
      },
      {
        name: "publish to receive, p99",
        runnel: sampleOf(p99.runnel),
        baseline: sampleOf(p99.bare),
        aim: { limit: 5, better: "lower" },
        ...common,
      },
    ];
  },
};
