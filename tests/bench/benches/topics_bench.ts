/** Many topics with a subscriber each. */
import { sleep } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { LoadLog } from "../load_log.ts";
import { measureLatencies } from "../load_process.ts";
import { RedisGauge } from "../redis_gauge.ts";
import { startRunnel } from "../runnel.ts";
import { percentile, sampleOf } from "../statistics.ts";

const TOPICS = 10_000;
const RATE = 1_000;
const MOST_MS = 20;
const LOOK_MS = 100;

/** From publish to receive, and connections to Redis, beside one topic with one subscriber. */
export const topicsBench: Bench = {
  name: "topics",
  about: `${TOPICS} topics with a subscriber each, ${RATE} messages/s over all, against one topic`,
  async run(options: BenchOptions): Promise<Row[]> {
    await using runnel = await startRunnel();
    using gauge = new RedisGauge(runnel.redis.port);
    const p50 = { one: [] as number[], many: [] as number[] };
    const connections = { one: [] as number[], many: [] as number[] };
    const log = new LoadLog();
    const measure = async (which: "one" | "many") => {
      await using looks = new Looks(gauge);
      const { latenciesMs: all, loadCpu } = await measureLatencies({
        role: "latency",
        port: runnel.port,
        ...{ publishPath: "/publish", streamPath: "/subscribe" },
        ...(which === "one" ? {} : { topics: TOPICS }),
        ...{ rate: RATE, warmUpSeconds: 1, seconds: options.seconds },
      });
      log.note(which, loadCpu);
      p50[which].push(percentile(all, 0.5));
      connections[which].push(looks.most);
      return percentile(all, 0.99);
    };
    const p99 = await takeTurns(options, {
      one: () => measure("one"),
      many: () => measure("many"),
    });
    const beside = (of: { one: number[]; many: number[] }) => ({
      runnel: sampleOf(of.many),
      baselineName: "1 topic, 1 subscriber",
      baseline: sampleOf(of.one),
      ...log.partOf("many", "one"),
    });
    const name = `${TOPICS} topics, a subscriber each`;
    return [
      {
        name: `${name}, p99`,
        unit: "ms",
        ...beside(p99),
        aim: { limit: MOST_MS, better: "lower" },
        note: "the one process that publishes has all the streams too",
      },
      { name: `${name}, p50`, unit: "ms", ...beside(p50) },
      {
        name: `${name}, connections to Redis`,
        unit: "connections",
        ...beside(connections),
        aim: { ratio: 1, better: "lower" },
        note: `the most at any look, ${1_000 / LOOK_MS} a second`,
      },
    ];
  },
};

/** Counts the connections to a Redis again and again. */
class Looks implements AsyncDisposable {
  most = 0;
  #over = false;
  readonly #looking: Promise<void>;

  constructor(gauge: RedisGauge) {
    this.#looking = this.#look(gauge);
  }

  async #look(gauge: RedisGauge): Promise<void> {
    while (!this.#over) {
      this.most = Math.max(this.most, await gauge.connections());
      await sleep(LOOK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#over = true;
    await this.#looking;
  }
}
