/** Requests and replies: how long they take, and what an open one costs. */
import { sleep, until } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns, type Things } from "../bench.ts";
import type { RoundTripSystem } from "../load/plan.ts";
import { LoadLog } from "../load_log.ts";
import { measureLatencies, whileOpen } from "../load_process.ts";
import { residentBytes } from "../machine.ts";
import { DATA } from "../message.ts";
import { startBareServer } from "../peers/bare_process.ts";
import { startRunnel } from "../runnel.ts";
import { percentile, sampleOf } from "../statistics.ts";

const IN_FLIGHT = [1, 64] as const;
const OPEN = 10_000;
const OPEN_TOPIC = "bench.open";
const MEMORY_ROUNDS = 3;
const SYSTEMS = ["list", "subscriber", "group"] as const;

/** Median and 99th percentile of a round trip, and memory per open request. */
export const requestBench: Bench = {
  name: "request",
  about: "POST /request to its reply, against bare LPUSH/BRPOP (ioredis); memory per open request",
  async run(options: BenchOptions): Promise<Row[]> {
    return [...await measureRoundTrips(options), await measureMemory(options)];
  },
};

async function measureRoundTrips(options: BenchOptions): Promise<Row[]> {
  await using runnel = await startRunnel();
  const p99: Record<string, number[]> = {};
  const log = new LoadLog();
  const things: Things = {};
  for (const inFlight of IN_FLIGHT) {
    for (const system of SYSTEMS) {
      const name = nameOf(system, inFlight);
      const { port } = system === "list" ? runnel.redis : runnel;
      const timing = { warmUpSeconds: 1, seconds: options.seconds };
      things[name] = async () => {
        const { latenciesMs: all, loadCpu } = await measureLatencies({
          role: "round_trip",
          system,
          port,
          inFlight,
          ...timing,
        });
        log.note(name, loadCpu);
        (p99[name] ??= []).push(percentile(all, 0.99));
        return percentile(all, 0.5);
      };
    }
  }
  const p50 = await takeTurns(options, things);
  return IN_FLIGHT.flatMap((inFlight) => [
    ...rowsOf("p50", inFlight, { results: p50, log }),
    ...rowsOf("p99", inFlight, { results: p99, log }),
  ]);
}

function rowsOf(
  percentile: string,
  inFlight: number,
  { results, log }: { results: Readonly<Record<string, readonly number[]>>; log: LoadLog },
): Row[] {
  const sample = (system: RoundTripSystem) => sampleOf(results[nameOf(system, inFlight)] ?? []);
  return (["subscriber", "group"] as const).map((system) => ({
    name: `request to reply by a ${system}, ${inFlight} in flight, ${percentile}`,
    unit: "ms",
    runnel: sample(system),
    baselineName: "bare LPUSH/BRPOP",
    baseline: sample("list"),
    ...log.partOf(nameOf(system, inFlight), nameOf("list", inFlight)),
  }));
}

function nameOf(system: RoundTripSystem, inFlight: number): string {
  return `${system}, ${inFlight} in flight`;
}

async function measureMemory(options: BenchOptions): Promise<Row> {
  const rounds = Math.min(MEMORY_ROUNDS, options.rounds);
  const results = await takeTurns({ ...options, rounds }, {
    "bare, memory per request": async () => {
      await using bare = await startBareServer();
      return await perRequest(bare, "/hold", async () => await getJson(bare.port, "/held"));
    },
    "runnel, memory per request": async () => {
      await using runnel = await startRunnel();
      return await perRequest(runnel, "/request", async () => {
        const topic = await getJson<{ count?: number }>(runnel.port, `/topics/${OPEN_TOPIC}`);
        return topic.count ?? 0;
      });
    },
  });
  return {
    name: `memory per open request, ${OPEN} open`,
    unit: "KB",
    runnel: sampleOf(results["runnel, memory per request"]),
    baselineName: "bare server that does not answer",
    baseline: sampleOf(results["bare, memory per request"]),
  };
}

/** Kilobytes; `arrived` tells how many requests ever came to the server. */
async function perRequest(
  { port, pid }: { readonly port: number; readonly pid: number },
  path: string,
  arrived: () => Promise<number>,
): Promise<number> {
  const body = JSON.stringify({ topic: OPEN_TOPIC, data: DATA, timeoutMs: 600_000 });
  const whileHeld = async <T>(connections: number, look: () => Promise<T>) => {
    const before = await arrived();
    return await whileOpen({ role: "hold", port, path, body, connections }, async () => {
      await until(async () => await arrived() - before === connections, {
        timeoutMs: 60_000,
        everyMs: 100,
        what: `${connections} open requests`,
      });
      return await look();
    });
  };
  // What the first requests make the server load and compile is not theirs.
  await whileHeld(200, () => Promise.resolve());
  const before = await residentBytes(pid);
  return await whileHeld(OPEN, async () => {
    // Long enough for a garbage collection after the burst of connections.
    await sleep(3_000);
    return (await residentBytes(pid) - before) / OPEN / 1024;
  });
}

/** The body of a GET, whatever its status; the caller vouches for its type. */
async function getJson<T>(port: number, path: string): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return await response.json();
}
