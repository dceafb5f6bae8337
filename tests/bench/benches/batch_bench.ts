/** Durable batches over HTTP against pipelines of bare Redis commands. */
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { type Comparison, rowsOf } from "../comparison.ts";
import { LoadLog } from "../load_log.ts";
import { measureAnswers, measureDeliveries, type Throughput } from "../load_process.ts";
import { SMALL_DATA, SMALL_MARKS_APART } from "../message.ts";
import { startRedisLimits } from "../peers/redis_limits.ts";
import { startRedisPy } from "../peers/redis_py.ts";
import { startRunnel } from "../runnel.ts";

const SIZE = 500;
const CONNECTIONS = 8;
const TEXT = JSON.stringify(SMALL_DATA);
const LIMITS = { clients: 50, pipeline: 50, count: 400_000, text: TEXT };
const REDIS_PY = {
  text: TEXT,
  modes: { "redis-py pipeline": "pipeline", "redis-py listen": "listen" },
} as const;
const BATCH = JSON.stringify(
  Array.from({ length: SIZE }, () => ({ topic: "bench", data: SMALL_DATA })),
);

/** Messages a second, 500 a batch, and how fast one subscriber gets them. */
export const batchBench: Bench = {
  name: "batch",
  about: `POST /batch of ${SIZE} × ${TEXT.length} bytes, ${CONNECTIONS} connections, ` +
    "against redis-benchmark -P 50 and redis-py",
  async run(options: BenchOptions): Promise<Row[]> {
    const { say, seconds } = options;
    await using stack = new AsyncDisposableStack();
    const log = new LoadLog();
    const results = await takeTurns<string>(options, {
      ...log.things(await startRunnels(stack, options)),
      ...await startRedisPy(stack, { ...REDIS_PY, say, seconds }),
      ...await startRedisLimits(stack, { ...LIMITS, say }),
    });
    return rowsOf(COMPARISONS, results, log);
  },
};

async function startRunnels(
  stack: AsyncDisposableStack,
  { seconds }: BenchOptions,
): Promise<Record<string, () => Promise<Throughput>>> {
  const start = async (appendfsync: "everysec" | "always") =>
    stack.use(await startRunnel({ redis: { appendfsync } })).port;
  const [everysec, always] = [await start("everysec"), await start("always")];
  const timing = { warmUpSeconds: 0.7, seconds };
  const batch = (port: number) => async () => {
    const { rate, loadCpu } = await measureAnswers({
      role: "requests",
      path: "/batch",
      connections: CONNECTIONS,
      bodies: [BATCH],
      ...{ port, ...timing },
    });
    return { rate: SIZE * rate, loadCpu };
  };
  return {
    everysec: batch(everysec),
    always: batch(always),
    received: () =>
      measureDeliveries({
        role: "fanout",
        port: everysec,
        publishPath: "/batch",
        streamPath: "/subscribe?topic=bench",
        streamKind: "sse",
        marksApart: SMALL_MARKS_APART,
        pipeline: 1,
        ...{ publishers: CONNECTIONS, subscribers: 1, body: BATCH, ...timing },
      }),
  };
}

const EVERYSEC = { name: `batch of ${SIZE}, everysec`, runnel: "everysec", unit: "messages/s" };
const ALWAYS = { name: `batch of ${SIZE}, always`, runnel: "always", unit: "messages/s" };
const PIPELINE = {
  baseline: "redis-py pipeline",
  baselineName: `redis-py PUBLISH, pipelines of ${SIZE}`,
};
const limit = (baseline: string) => ({
  baseline,
  baselineName: `redis-benchmark -P ${LIMITS.pipeline} ${baseline}`,
});

const COMPARISONS: readonly Comparison[] = [
  { ...EVERYSEC, ...limit("XADD, everysec"), aim: { ratio: 0.5, better: "higher" } },
  { ...ALWAYS, ...limit("XADD, always"), aim: { ratio: 0.5, better: "higher" } },
  { ...EVERYSEC, ...PIPELINE, aim: { ratio: 1.2, better: "higher" } },
  { ...ALWAYS, ...PIPELINE, aim: { ratio: 1.2, better: "higher" } },
  { ...EVERYSEC, ...limit("PUBLISH") },
  {
    name: `received by one subscriber, batches of ${SIZE}`,
    runnel: "received",
    unit: "messages/s",
    baseline: "redis-py listen",
    baselineName: "redis-py listen()",
    note: "redis-py reads what waits for it already; Runnel's messages are published meanwhile",
  },
];
