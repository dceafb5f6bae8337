/** Durable batches over HTTP against Redis's own benchmark of pipelined XADD. */
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "./bench.ts";
import { measureRate } from "./load_process.ts";
import { DATA } from "./message.ts";
import { sampleOf } from "./statistics.ts";

const SIZE = 500;
const CONNECTIONS = 8;
const XADDS = 400_000;

/** Messages a second, 500 a batch. */
export const batchBench: Bench = {
  name: "batch",
  about: `POST /batch of ${SIZE}, ${CONNECTIONS} connections, against redis-benchmark -P 50 XADD`,
  async run(options: BenchOptions): Promise<Row[]> {
    const rows: Row[] = [];
    for (const appendfsync of ["everysec", "always"] as const) {
      await using redis = await startRedis({ appendfsync });
      await using server = await startServer({ redisUrl: redis.url });
      const results = await takeTurns(options, {
        [`XADD, ${appendfsync}`]: () => measureXadd(redis),
        [`batch, ${appendfsync}`]: () => measureBatches(server.port, options.seconds),
      });
      rows.push({
        name: `batch of ${SIZE}, ${appendfsync}`,
        unit: "messages/s",
        runnel: sampleOf(results[`batch, ${appendfsync}`] ?? []),
        baselineName: "redis-benchmark -P 50 XADD",
        baseline: sampleOf(results[`XADD, ${appendfsync}`] ?? []),
        aim: { ratio: 0.5, better: "higher" },
      });
    }
    return rows;
  },
};

async function measureBatches(port: number, seconds: number): Promise<number> {
  const messages = Array.from({ length: SIZE }, () => ({ topic: "bench", data: DATA }));
  const batches = await measureRate({
    role: "requests",
    port,
    path: "/batch",
    connections: CONNECTIONS,
    bodies: [JSON.stringify(messages)],
    warmUpSeconds: 0.7,
    seconds,
  });
  return batches * SIZE;
}

async function measureXadd(redis: RedisServer): Promise<number> {
  const command = ["XADD", "bench:xadd", "*", "m", JSON.stringify(DATA)];
  const { success, stdout, stderr } = await new Deno.Command("redis-benchmark", {
    args: ["-p", `${redis.port}`, "-P", "50", "-n", `${XADDS}`, "--csv", ...command],
  }).output();
  await redis.cli("DEL", "bench:xadd");
  const last = new TextDecoder().decode(stdout).trim().split("\n").at(-1) ?? "";
  // The rate is followed by six latencies; the command before it may hold anything.
  const rate = Number(/"([\d.]+)"(?:,"[\d.]+"){6}$/.exec(last)?.[1]);
  if (success && rate > 0) return rate;
  throw new Error(`Cannot read redis-benchmark: ${last} ${new TextDecoder().decode(stderr)}`);
}
