/** Work that is pulled and acknowledged over HTTP, beside BullMQ and a bare Redis stream with a group. */
import { type Bench, type BenchOptions, type Row, takeTurns, type Things } from "../bench.ts";
import type { WorkPlan } from "../load/plan.ts";
import { measureRate } from "../load_process.ts";
import { type Runnel, startRunnel } from "../runnel.ts";
import { sampleOf } from "../statistics.ts";

const CONSUMERS = [1, 4, 16] as const;
const BATCHES = [1, 10] as const;
/** What Runnel should do, by messages a pull, in jobs of BullMQ, which has no batches. */
const BULLMQ_AIM = { 1: 1.5, 10: 3 } as const;
const WARM_UP_SECONDS = 0.5;

/** Messages a second, with each number of consumers and of messages a pull. */
export function workBench(appendfsync: "always" | "everysec"): Bench {
  return {
    name: appendfsync === "always" ? "work" : "work-everysec",
    about: `POST /pull and /ack, ${appendfsync}, against BullMQ and bare XREADGROUP/XACK (ioredis)`,
    async run(options: BenchOptions): Promise<Row[]> {
      await using runnel = await startRunnel({ redis: { appendfsync } });
      const results = await takeTurns(options, thingsOf(options, runnel));
      return rowsOf(appendfsync, results);
    },
  };
}

function thingsOf({ seconds }: BenchOptions, { port, redis }: Runnel) {
  const things: Things = {};
  for (const consumers of CONSUMERS) {
    const add = (name: string, plan: Pick<WorkPlan, "system" | "batch" | "port">) => {
      things[name] = fillAndWork({ role: "work", consumers, ...plan }, seconds);
    };
    add(nameOf("bullmq", consumers), { system: "bullmq", batch: 1, port: redis.port });
    for (const batch of BATCHES) {
      add(nameOf("stream", consumers, batch), { system: "stream", batch, port: redis.port });
      add(nameOf("runnel", consumers, batch), { system: "runnel", batch, port });
    }
  }
  return things;
}

/** Fills the queue with as much as the time takes at the rate of the time before. */
function fillAndWork(
  plan: Omit<WorkPlan, "count" | "warmUp">,
  seconds: number,
): () => Promise<number> {
  let rate: number | undefined;
  const measure = (share: number) => {
    const messages = (time: number) => Math.ceil((rate ?? 2_000) * time * share);
    const warmUp = messages(WARM_UP_SECONDS);
    return measureRate({ ...plan, warmUp, count: warmUp + messages(seconds) });
  };
  return async () => {
    rate ??= await measure(0.2);
    return rate = await measure(1);
  };
}

function rowsOf(appendfsync: string, results: Readonly<Record<string, number[]>>): Row[] {
  const sample = (...name: Parameters<typeof nameOf>) => sampleOf(results[nameOf(...name)] ?? []);
  return CONSUMERS.flatMap((consumers) =>
    BATCHES.flatMap((batch): Row[] => {
      const row = {
        name: `work, ${nameOf(appendfsync, consumers, batch)}`,
        unit: "messages/s",
        runnel: sample("runnel", consumers, batch),
      };
      return [
        {
          ...row,
          baselineName: `BullMQ, concurrency ${consumers}`,
          baseline: sample("bullmq", consumers),
          aim: { ratio: BULLMQ_AIM[batch], better: "higher" },
        },
        {
          ...row,
          baselineName: `bare XREADGROUP/XACK, ${batch} a read`,
          baseline: sample("stream", consumers, batch),
          aim: { ratio: 0.5, better: "higher" },
        },
      ];
    })
  );
}

function nameOf(what: string, consumers: number, batch?: number): string {
  const each = batch === undefined ? "" : `, ${batch} a pull`;
  return `${what}, ${consumers} consumer${consumers === 1 ? "" : "s"}${each}`;
}
