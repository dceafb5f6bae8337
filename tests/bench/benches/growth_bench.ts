/** What becomes of rates and costs when there is more of something. */
import { type Bench, type BenchOptions, type Row, takeTurns, type Things } from "../bench.ts";
import { MARK } from "../load/plan.ts";
import { envelope, MARKS_APART } from "../message.ts";
import { GrowthArm, isolateCounts, type Load, serveOn } from "./growth_arms.ts";
import {
  DELIVERED,
  DELIVERY_CPU,
  type Measured,
  PUBLISH_CPU,
  PUBLISHED,
  PUBLISHED_BYTES,
  rowsOfMeasured,
  undrawn,
  type Usage,
} from "./growth_measures.ts";

/** Subscribers of one topic, and topics. */
const COUNTS = [1, 10, 100, 1_000, 10_000] as const;
const MOST_TOPICS = 10_000;
/** Bytes of a message's data as JSON: the largest fits into the body that is allowed by default. */
const SIZES = [100, 1_000, 10_000, 100_000, 1_000_000] as const;
const SIZE_NAMES = ["100 B", "1 KB", "10 KB", "100 KB", "1 MB"] as const;
/** Messages of a batch, and connections that send them. */
const BATCH = 500;
const BATCHING = 8;
/** Publishers at full speed. */
const FEW = 4;
const MANY = 64;
const SIXTEEN = 16;
/** Publishers of large messages: 64 of the largest would be all that Runnel lets wait, and it refuses more. */
const SIZED = SIXTEEN;
/** As many partitions as several Redis have if nothing is said, topics that are spread over them, and 16 publishers for each. */
const PARTITIONS = 16;
const PARTED_TOPICS = 100;
const FOR_EACH_PART = PARTITIONS * SIXTEEN;
/** So few a second that each is delivered by itself. */
const FEW_A_SECOND = 10;
/** Subscribers where their number does not change. */
const SUBSCRIBERS = 1_000;
/** Messages that a topic keeps where they are large: what Redis has in memory is bounded so. */
const KEPT = 100;

/** Something to be measured. */
interface Plan extends Omit<Measured, "usages"> {
  readonly arm: GrowthArm;
  readonly load: Load;
}

/** Rates, CPU time a message and a delivery, by subscribers, topics, size and isolates. */
export const growthBench: Bench = {
  name: "growth",
  about: "curves over subscribers, topics, bytes and isolates; CPU time a message and a delivery",
  async run(options: BenchOptions): Promise<Row[]> {
    await using stack = new AsyncDisposableStack();
    const start = async (...args: Parameters<typeof GrowthArm.start>) => {
      const arm = stack.use(await GrowthArm.start(...args));
      await arm.warmUp(publishing({ topics: MOST_TOPICS }), 2 * MOST_TOPICS);
      return arm;
    };
    const plain = await start({});
    const large = await start({ env: { RUNNEL_MAX_MESSAGES: `${KEPT}` } });
    const parted = await start({ env: { RUNNEL_PARTITIONS: `${PARTITIONS}` } });
    const plans = [...costs(plain), ...parts(parted), ...curves(plain), ...sizes(large)];
    for (const count of isolateCounts()) {
      plans.push(...isolates(count, await start(serveOn(count))));
    }
    return await measure(plans, options);
  },
};

async function measure(plans: readonly Plan[], options: BenchOptions): Promise<Row[]> {
  const things: Things = {};
  const all = plans.map(({ arm, load, ...plan }): Measured => {
    const usages: Usage[] = [];
    const [first] = plan.measures;
    things[`${first?.what}, ${plan.label}`] = async () => {
      const usage = await arm.measure(load, options.seconds);
      usages.push(usage);
      return first?.of(usage, plan.along?.at ?? 0) ?? 0;
    };
    return { ...plan, usages };
  });
  await takeTurns(options, things);
  return rowsOfMeasured(all);
}

/** What one message and one delivery cost, where it is no point of a curve. */
function costs(arm: GrowthArm): Plan[] {
  const [publish, delivery] = [[PUBLISHED, ...PUBLISH_CPU], [DELIVERED, ...DELIVERY_CPU]];
  return [
    { label: "alone", arm, load: publishing({ connections: 1 }), measures: publish },
    ...[FEW, SIXTEEN].map((connections): Plan => ({
      label: `${connections} connections`,
      arm,
      load: publishing({ connections }),
      measures: publish,
    })),
    {
      label: `batches of ${BATCH}, ${BATCHING} connections`,
      arm,
      load: publishing({ connections: BATCHING, batch: BATCH }),
      measures: publish,
    },
    {
      label: `${SUBSCRIBERS} subscribers, ${FEW_A_SECOND} messages a second`,
      arm,
      load: { ...delivering({}), load: { rate: FEW_A_SECOND } },
      measures: delivery,
    },
    {
      label: `${SUBSCRIBERS} subscribers, ${MANY} publishers`,
      arm,
      load: delivering({ connections: MANY }),
      measures: delivery,
      note: "CPU time of deliveries has that of their publishes in it",
    },
  ];
}

/** What a publish costs where the topics are spread over partitions, each with calls and an fsync of its own. */
function parts(arm: GrowthArm): Plan[] {
  return [SIXTEEN, MANY, FOR_EACH_PART].map((connections): Plan => ({
    label: `${connections} connections, ${PARTED_TOPICS} topics in ${PARTITIONS} partitions`,
    arm,
    load: publishing({ connections, topics: PARTED_TOPICS }),
    measures: [PUBLISHED, ...PUBLISH_CPU],
  }));
}

function curves(arm: GrowthArm): Plan[] {
  const subscribers = COUNTS.map((at): Plan => ({
    label: `${count(at, "subscriber")}, ${FEW} publishers`,
    along: { along: "subscribers", axis: `subscribers of one topic, ${FEW} publishers`, at },
    arm,
    load: delivering({ subscribers: at }),
    measures: [DELIVERED, ...DELIVERY_CPU],
  }));
  const topics = COUNTS.map((at): Plan => ({
    label: `${count(at, "topic")}, ${MANY} connections`,
    along: { along: "topics", axis: `topics, ${MANY} connections`, at },
    arm,
    load: publishing({ topics: at }),
    measures: [PUBLISHED, ...PUBLISH_CPU],
  }));
  return [...subscribers, ...topics];
}

function sizes(arm: GrowthArm): Plan[] {
  return SIZES.map((at, index): Plan => ({
    label: `${SIZE_NAMES[index]}, ${SIZED} connections`,
    along: { along: "bytes", axis: `data of a message, ${SIZED} connections`, at },
    arm,
    load: sized(at),
    measures: [PUBLISHED, PUBLISHED_BYTES, ...undrawn(PUBLISH_CPU)],
  }));
}

function isolates(at: number, arm: GrowthArm): Plan[] {
  const axis = "isolates of deno serve --parallel";
  const label = at === 1 ? "deno serve, 1 isolate" : `deno serve --parallel, ${at} isolates`;
  return [
    {
      ...{ label, arm },
      along: { along: "isolates", axis: `${axis}, ${MANY} connections`, at },
      load: publishing({}),
      measures: [PUBLISHED, ...ISOLATE_PUBLISH_CPU],
      ...(at > 1 ? { note: "the load and Redis use these cores too" } : {}),
    },
    {
      ...{ label, arm },
      along: {
        along: "isolates",
        axis: `${axis}, ${MANY} publishers, ${SUBSCRIBERS} subscribers`,
        at,
      },
      load: delivering({ connections: MANY }),
      measures: [DELIVERED, ...ISOLATE_DELIVERY_CPU],
    },
  ];
}

// the same objects for each number of isolates: a row finds its baseline by them
const ISOLATE_PUBLISH_CPU = undrawn(PUBLISH_CPU);
const ISOLATE_DELIVERY_CPU = undrawn(DELIVERY_CPU);

function count(n: number, noun: string): string {
  return n === 1 ? `1 ${noun}` : `${n} ${noun}s`;
}

function publishing(
  { connections = MANY, ...rest }: { connections?: number; topics?: number; batch?: number },
): Load {
  return { bodies: [envelope("bench")], load: { connections }, streams: [], ...rest };
}

function sized(dataBytes: number): Load {
  const body = JSON.stringify({ topic: "bench.sized", data: { mark: MARK } });
  return { bodies: [body], dataBytes, load: { connections: SIZED }, streams: [] };
}

function delivering(
  { subscribers = SUBSCRIBERS, connections = FEW }: { subscribers?: number; connections?: number },
): Load {
  return {
    bodies: [envelope("bench.fanout")],
    load: { connections },
    streams: [{ path: "/subscribe?topic=bench.fanout", count: subscribers }],
    turns: true,
    marksApart: MARKS_APART,
  };
}
