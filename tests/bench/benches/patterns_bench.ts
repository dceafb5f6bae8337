/** Many subscribers by pattern: what a message costs by how many there are, and by how many match. */
import { sleep } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { HttpSocket } from "../load/http_socket.ts";
import type { TrafficPlan } from "../load/plan.ts";
import { type CountTraffic, whileTraffic } from "../load_process.ts";
import { cpuSeconds } from "../machine.ts";
import { DATA, envelope } from "../message.ts";
import { startRunnel } from "../runnel.ts";
import { sampleOf } from "../statistics.ts";

const PATTERNS = 1_000;
const CONNECTIONS = 64;
/** Messages a second where each goes to a thousand subscribers. */
const RATE = 100;
const WARM_UP_MS = 1_000;
/** How much more a message may cost with a thousand patterns that do not match than with one. */
const MOST = 1.3;

const TOPIC = "bench.topic";
const bodies = [envelope(TOPIC)];
const streamsOf = (patterns: string[]) =>
  patterns.map((pattern) => ({ path: `/subscribe?topic=${pattern}`, count: 1 }));
const others = (count: number) => Array.from({ length: count }, (_, n) => `other.${n}.*`);
/** Different patterns that all match. */
const matching = (count: number) =>
  Array.from({ length: count }, (_, n) => n === 0 ? "bench.*" : `bench.*,other.${n}.*`);

/** More than a process remembers of which patterns match, so that each message finds its topic forgotten. */
const TOPICS = 20_000;
const BATCH = 1_000;

type Load = Pick<TrafficPlan, "bodies" | "topics" | "load" | "streams">;

/** At full speed nothing else makes a message dear, so that what patterns cost would show. */
const FULL_SPEED = { bodies, load: { connections: CONNECTIONS } };
const ANOTHER_TOPIC_EACH = { ...FULL_SPEED, topics: TOPICS };
const FIXED_RATE = { bodies, load: { rate: RATE } };

const LOADS = {
  "1 other": { ...FULL_SPEED, streams: streamsOf(others(1)) },
  "all other": { ...FULL_SPEED, streams: streamsOf(others(PATTERNS)) },
  "1 other, another topic each": { ...ANOTHER_TOPIC_EACH, streams: streamsOf(others(1)) },
  "all other, another topic each": { ...ANOTHER_TOPIC_EACH, streams: streamsOf(others(PATTERNS)) },
  "1 matching": { ...FIXED_RATE, streams: streamsOf(matching(1)) },
  "all matching": { ...FIXED_RATE, streams: streamsOf(matching(PATTERNS)) },
} as const satisfies Record<string, Load>;

/** CPU time of the server for a message, with one pattern and with a thousand, none matching or all. */
export const patternsBench: Bench = {
  name: "patterns",
  about: `CPU time a message with ${PATTERNS} pattern subscribers, against 1; none match, or all`,
  async run(options: BenchOptions): Promise<Row[]> {
    await using runnel = await startRunnel();
    await makeTopics(runnel.port);
    const cost = (load: Load) => () => measure(runnel, load, options);
    // the first to run would pay for what the server compiles
    await cost(LOADS["1 other"])();
    const results = await takeTurns(options, {
      "1 other": cost(LOADS["1 other"]),
      "all other": cost(LOADS["all other"]),
      "1 other, another topic each": cost(LOADS["1 other, another topic each"]),
      "all other, another topic each": cost(LOADS["all other, another topic each"]),
      "1 matching": cost(LOADS["1 matching"]),
      "all matching": cost(LOADS["all matching"]),
    });
    const unit = "µs/message";
    return [
      {
        name: `CPU of Runnel, ${PATTERNS} patterns that do not match`,
        unit,
        runnel: sampleOf(results["all other"]),
        baselineName: "1 pattern that does not",
        baseline: sampleOf(results["1 other"]),
        aim: { ratio: MOST, better: "lower" },
        note: `${CONNECTIONS} connections publish to one topic at full speed`,
      },
      {
        name:
          `CPU of Runnel, ${PATTERNS} patterns that do not match, each message to another topic`,
        unit,
        runnel: sampleOf(results["all other, another topic each"]),
        baselineName: "1 pattern that does not",
        baseline: sampleOf(results["1 other, another topic each"]),
        aim: { ratio: MOST, better: "lower" },
        note: `${TOPICS} topics in turn, more than a process remembers the matches of`,
      },
      {
        name: `CPU of Runnel, ${PATTERNS} patterns that match`,
        unit,
        runnel: sampleOf(results["all matching"]),
        baselineName: "1 pattern that does",
        baseline: sampleOf(results["1 matching"]),
        note: `the contrast: ${RATE} messages/s, each of them written to all`,
      },
    ];
  },
};

/** A topic's first message costs more than the others, whatever the patterns. */
async function makeTopics(port: number): Promise<void> {
  using socket = await HttpSocket.connect(port);
  for (let from = 0; from < TOPICS; from += BATCH) {
    const messages = Array.from({ length: BATCH }, (_, index) => ({
      topic: `${TOPIC}.${from + index}`,
      data: DATA,
    }));
    await socket.ask("/batch", messages);
  }
}

async function measure(
  { port, pid }: { port: number; pid: number },
  load: Load,
  { seconds }: BenchOptions,
): Promise<number> {
  return await whileTraffic({ role: "traffic", port, ...load }, async (count) => {
    await sleep(WARM_UP_MS);
    const before = await read(pid, count);
    await sleep(seconds * 1_000);
    const after = await read(pid, count);
    const published = after.published - before.published;
    if (published <= 0) throw new Error("Cannot measure: no message was published");
    return (after.cpu - before.cpu) / published * 1e6;
  });
}

async function read(pid: number, count: CountTraffic): Promise<{ cpu: number; published: number }> {
  const [cpu, { published }] = await Promise.all([cpuSeconds(pid), count()]);
  return { cpu, published };
}
