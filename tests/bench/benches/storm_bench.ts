/** Thousands of subscribers that come back at once. */
import { sleep } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { HttpSocket } from "../load/http_socket.ts";
import { type CountTraffic, measureStorm, whileTraffic } from "../load_process.ts";
import { DATA, envelope } from "../message.ts";
import { LOG_SLOW } from "../redis_flags.ts";
import { RedisGauge } from "../redis_gauge.ts";
import { startRunnel } from "../runnel.ts";
import { sampleOf } from "../statistics.ts";

const SUBSCRIBERS = 5_000;
const MISSED = 100;
const PUBLISHERS = 16;
const WARM_UP_MS = 1_000;
const MOST_SECONDS = 10;
const MOST_COMMAND_MS = 50;

/** How long it takes until all have what they missed, and what else goes on meanwhile. */
export const stormBench: Bench = {
  name: "storm",
  about: `${SUBSCRIBERS} subscribers resume at once, ${MISSED} messages missed each`,
  async run(options: BenchOptions): Promise<Row[]> {
    await using runnel = await startRunnel({ redis: { args: LOG_SLOW } });
    using gauge = new RedisGauge(runnel.redis.port);
    const found = {
      median: [] as number[],
      command: [] as number[],
      before: [] as number[],
      during: [] as number[],
    };
    let round = 0;
    const { last } = await takeTurns(options, {
      last: async () => {
        const missed = await missMessages(runnel.port, `bench.storm.${round++}`);
        const storm = await whileTraffic({
          role: "traffic",
          port: runnel.port,
          bodies: [envelope("bench.beside")],
          load: { connections: PUBLISHERS },
          streams: [],
        }, async (count) => {
          await sleep(WARM_UP_MS);
          const calm = new Rate(count);
          await calm.start();
          await sleep(options.seconds * 1_000);
          found.before.push(await calm.end());
          const busy = new Rate(count);
          const result = await measureStorm({
            role: "storm",
            port: runnel.port,
            ...{ ...missed, subscribers: SUBSCRIBERS, missed: MISSED },
          }, async () => {
            await gauge.longestCommandMs();
            await busy.start();
          });
          found.during.push(await busy.end());
          return result;
        });
        found.command.push(await gauge.longestCommandMs());
        found.median.push(storm.median);
        return storm.last;
      },
    });
    const name = `${SUBSCRIBERS} resume at once`;
    return [
      {
        name: `${name}, until the last has caught up`,
        unit: "s",
        runnel: sampleOf(last),
        aim: { limit: MOST_SECONDS, better: "lower" },
      },
      { name: `${name}, until half of them have`, unit: "s", runnel: sampleOf(found.median) },
      {
        name: `${name}, longest Redis command`,
        unit: "ms",
        runnel: sampleOf(found.command),
        aim: { limit: MOST_COMMAND_MS, better: "lower" },
      },
      {
        name: `${name}, publishing beside it`,
        unit: "/s",
        runnel: sampleOf(found.during),
        baselineName: "just before",
        baseline: sampleOf(found.before),
        aim: { ratio: 0.5, better: "higher" },
        note: `${PUBLISHERS} connections at full speed, until the last has caught up`,
      },
    ];
  },
};

/** Publishes what will have been missed, and tells where the subscribers stood before. */
async function missMessages(
  port: number,
  topic: string,
): Promise<{ streamPath: string; lastEventId: string }> {
  using socket = await HttpSocket.connect(port);
  const { id } = await socket.ask<{ id: string }>("/publish", { topic, data: "seen" });
  await socket.ask("/batch", Array.from({ length: MISSED }, () => ({ topic, data: DATA })));
  return { streamPath: `/subscribe?topic=${topic}`, lastEventId: id };
}

/** Messages published a second, from one moment to another. */
class Rate {
  readonly #count: CountTraffic;
  #at = 0;
  #published = 0;

  constructor(count: CountTraffic) {
    this.#count = count;
  }

  async start(): Promise<void> {
    this.#published = (await this.#count()).published;
    this.#at = performance.now();
  }

  async end(): Promise<number> {
    const { published } = await this.#count();
    return (published - this.#published) / (performance.now() - this.#at) * 1000;
  }
}
