/** A reader that hardly reads, beside readers that do. */
import { sleep } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { measureDeliveries, whileTraffic } from "../load_process.ts";
import { residentBytes } from "../machine.ts";
import { DATA, envelope, MARKS_APART } from "../message.ts";
import { type Runnel, startRunnel } from "../runnel.ts";
import { sampleOf } from "../statistics.ts";

const READERS = 1_000;
const PUBLISHERS = 16;
const TOPIC = "bench.large";

/**
 * Readers that are slow at a time where their memory is measured: one alone is lost in what the collector leaves. Each has
 * a topic of its own: on one topic they would share what waits for them.
 */
const SLOW = 50;
/** Messages a second over all the topics, of 48 KB: with the time below, 8 MB for each reader. */
const RATE = 400;
const LARGE = JSON.stringify({ topic: TOPIC, data: { ...DATA, note: "x".repeat(48_000) } });
const LOOK_MS = 250;
const WARM_UP_MS = 1_000;
/** Until the kernel's buffers, 4 MB each, are full of what a slow reader left, and what follows is the server's. */
const FULL_MS = 20_000;
/** 256 KB that may wait for a reader before it turns lagging, a page of 1 MB that it is given then, and as much again. */
const MOST_MB = 2.5;

/** Deliveries to the others with a slow one and without, and what slow ones hold of the server's memory. */
export const slowReaderBench: Bench = {
  name: "slowreader",
  about: `${READERS - 1} readers beside one of a byte a second; memory of ${SLOW} such`,
  async run(options: BenchOptions): Promise<Row[]> {
    return [await measureGoodReaders(options), await measureMemory(options)];
  },
};

async function measureGoodReaders(options: BenchOptions): Promise<Row> {
  await using runnel = await startRunnel();
  const deliveries = (slow: number) => async () => {
    const { rate } = await measureDeliveries({
      role: "fanout",
      port: runnel.port,
      publishers: PUBLISHERS,
      publishPath: "/publish",
      streamPath: "/subscribe?topic=bench",
      streamKind: "sse",
      marksApart: MARKS_APART,
      pipeline: 1,
      subscribers: READERS - 1,
      slow,
      body: envelope("bench"),
      warmUpSeconds: 1,
      seconds: options.seconds,
    });
    return rate;
  };
  // the first to run would pay for what the server compiles
  await deliveries(0)();
  const results = await takeTurns(options, { without: deliveries(0), with: deliveries(1) });
  return {
    name: `deliveries to ${READERS - 1} readers beside a slow one`,
    unit: "deliveries/s",
    runnel: sampleOf(results.with),
    baselineName: "without it",
    baseline: sampleOf(results.without),
    aim: { ratio: 0.95, better: "higher" },
  };
}

async function measureMemory(options: BenchOptions): Promise<Row> {
  // each on a server of its own: what one left behind would hide what the next one takes
  const growth = (slow: boolean) => async () => {
    await using runnel = await startRunnel();
    return await growthWith(runnel, { slow, seconds: options.seconds });
  };
  const { none, slow } = await takeTurns(options, {
    none: growth(false),
    slow: growth(true),
  });
  const each = slow.map((bytes, round) => (bytes - (none[round] ?? 0)) / SLOW);
  return {
    name: `memory of a slow reader, ${SLOW} of them, a topic each`,
    unit: "MB",
    runnel: sampleOf(each),
    aim: { limit: MOST_MB, better: "lower" },
    note: `what the server grows by beyond its growth without them, while each is owed ` +
      `${Math.round(RATE / SLOW * LARGE.length / 2 ** 20 * 10) / 10} MB more every second`,
  };
}

/** Megabytes that a server's resident memory grows by at the most. */
async function growthWith(
  { port, pid }: Runnel,
  { slow, seconds }: { slow: boolean; seconds: number },
): Promise<number> {
  const load = { bodies: [LARGE], topics: SLOW, load: { rate: RATE } };
  const plan = { role: "traffic", port, ...load } as const;
  const paths = Array.from({ length: SLOW }, (_, n) => `/subscribe?topic=${TOPIC}.${n}`);
  // one for each topic, so that with slow ones there is nothing more but what waits for these
  const good = paths.map((path) => ({ path, count: 1 }));
  const bad = slow ? paths.map((path) => ({ path, count: 1, slow: true })) : [];
  // what the first messages make the server load and compile is nobody's
  await whileTraffic({ ...plan, streams: good }, () => sleep(WARM_UP_MS));
  const before = await residentBytes(pid);
  return await whileTraffic(
    { ...plan, streams: [...good, ...bad] },
    async (count) => {
      let most = before;
      const start = performance.now();
      const end = start + FULL_MS + seconds * 1_000;
      while (performance.now() < end) {
        await sleep(LOOK_MS);
        most = Math.max(most, await residentBytes(pid));
      }
      requireRate((await count()).delivered / (performance.now() - start) * 1000);
      return (most - before) / 2 ** 20;
    },
  );
}

// with less the slow ones would be owed less than the row says
function requireRate(delivered: number): void {
  if (delivered > 0.9 * RATE) return;
  throw new Error(`Cannot measure: ${Math.round(delivered)} messages/s came, not ${RATE}`);
}
