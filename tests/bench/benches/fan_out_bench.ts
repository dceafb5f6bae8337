/** Deliveries to many subscribers of one topic. */
import { type Bench, type BenchOptions, type Row, takeTurns, type Things } from "../bench.ts";
import { measureDeliveries, type Throughput } from "../load_process.ts";
import { DATA, envelope, MARKS_APART } from "../message.ts";
import { startBareServer } from "../peers/bare_process.ts";
import { startNchan } from "../peers/nchan.ts";
import { startBetterSse, startSocketIo } from "../peers/node_peers.ts";
import { type NamedPeer, type Peer, startIfThere } from "../peers/peer.ts";
import { startRunnel } from "../runnel.ts";
import { sampleOf } from "../statistics.ts";

const SUBSCRIBERS = 1_000;
const BATCH = 100;

/** Messages at a time, and from how many publishers. */
interface Load {
  readonly name: string;
  readonly publishers: number;
  /** Messages that a publisher sends at a time. */
  readonly batch: number;
}

const FEW: Load = { name: "4 publishers", publishers: 4, batch: 1 };
const MANY: Load = { name: "64 publishers", publishers: 64, batch: 1 };
const BATCHES: Load = { name: `4 publishers, batches of ${BATCH}`, publishers: 4, batch: BATCH };

/** A server to be measured, and what it is measured with. */
interface Arm {
  readonly name: string;
  readonly plan: Peer["plan"];
  /** Loads that it is measured with, and the ratio wanted of Runnel where there is one. */
  readonly loads: ReadonlyMap<Load, number | undefined>;
  /** Stands below the table, once. */
  readonly note?: string;
}

const NCHAN_NOTE =
  "a worker for each core and a buffer of 10,000 messages; it has no batches, so " +
  `its publishers send ${BATCH} requests in one write`;

/** How each is started, and the rest of its {@link Arm}. */
const PEERS: readonly (Omit<Arm, "plan"> & NamedPeer)[] = [
  {
    name: "bare fan-out",
    start: startBare,
    loads: new Map([[FEW, 0.8], [MANY, undefined]]),
  },
  {
    name: "nchan with Redis",
    start: () => startNchan({ redis: true }),
    loads: new Map([[FEW, 1.5], [MANY, 8], [BATCHES, 10]]),
    note: `${NCHAN_NOTE}; its Redis writes nothing to disk, Runnel's fsyncs always`,
  },
  {
    name: "nchan in memory",
    start: () => startNchan({ redis: false }),
    loads: new Map([[FEW, undefined], [MANY, undefined], [BATCHES, undefined]]),
    note: NCHAN_NOTE,
  },
  {
    name: "better-sse + ioredis",
    start: startBetterSse,
    loads: new Map([[FEW, undefined], [MANY, undefined]]),
    note: "on Node, over Redis Pub/Sub: nothing is stored",
  },
  {
    name: "Socket.IO + Redis streams",
    start: startSocketIo,
    loads: new Map([[FEW, undefined], [MANY, undefined]]),
    note: "on Node, over WebSocket; its Redis writes nothing to disk, and a publish is answered " +
      "before it is stored",
  },
];

/** Deliveries a second, few and many publishers and batches, beside servers that do a part of the same. */
export const fanOutBench: Bench = {
  name: "fanout",
  about: `deliveries to ${SUBSCRIBERS} subscribers, against a bare in-memory fan-out server, ` +
    "nchan, better-sse and Socket.IO",
  async run(options: BenchOptions): Promise<Row[]> {
    await using stack = new AsyncDisposableStack();
    const runnel = stack.use(await startRunnel());
    const arms: Arm[] = [];
    for (const named of PEERS) {
      const peer = await startIfThere(named, options.say);
      if (peer) arms.push({ ...named, plan: stack.use(peer).plan });
    }
    return await measure(options, { runnel: runnel.port, arms });
  },
};

async function measure(
  options: BenchOptions,
  { runnel, arms }: { runnel: number; arms: readonly Arm[] },
): Promise<Row[]> {
  const taken = new Map<string, Throughput[]>();
  const things: Things = {};
  const add = (load: Load, name: string, plan: Measurement) => {
    const list: Throughput[] = [];
    taken.set(`${name}, ${load.name}`, list);
    things[`${name}, ${load.name}`] = async () => {
      const deliveries = await deliver(plan, load, options);
      list.push(deliveries);
      return deliveries.rate;
    };
  };
  for (const load of [FEW, MANY, BATCHES]) {
    for (const { name, plan, loads } of arms) {
      if (loads.has(load)) add(load, name, { ...plan, pipeline: load.batch });
    }
    add(load, "Runnel", runnelPlan(runnel, load));
  }
  await takeTurns(options, things);
  const samples = (name: string, load: Load) => {
    const list = taken.get(`${name}, ${load.name}`) ?? [];
    return {
      rate: sampleOf(list.map(({ rate }) => rate)),
      loadCpu: sampleOf(list.map(({ loadCpu }) => loadCpu)),
    };
  };
  return [FEW, MANY, BATCHES].flatMap((load) =>
    arms.filter(({ loads }) => loads.has(load)).map((arm): Row => {
      const [ours, theirs] = [samples("Runnel", load), samples(arm.name, load)];
      const ratio = arm.loads.get(load);
      return {
        name: `deliveries, ${SUBSCRIBERS} subscribers, ${load.name}`,
        unit: "deliveries/s",
        runnel: ours.rate,
        baselineName: arm.name,
        baseline: theirs.rate,
        loadCpu: { runnel: ours.loadCpu, baseline: theirs.loadCpu },
        ...(ratio === undefined ? {} : { aim: { ratio, better: "higher" } }),
        ...(arm.note === undefined || load !== FEW ? {} : { note: `${arm.name}: ${arm.note}` }),
      };
    })
  );
}

type Measurement = Peer["plan"] & { readonly pipeline: number };

async function deliver(
  plan: Measurement,
  { publishers }: Load,
  { seconds }: BenchOptions,
): Promise<Throughput> {
  const subscribers = SUBSCRIBERS;
  return await measureDeliveries({
    role: "fanout",
    ...plan,
    ...{ publishers, subscribers, marksApart: MARKS_APART, warmUpSeconds: 1, seconds },
  });
}

function runnelPlan(port: number, { batch }: Load): Measurement {
  const messages = Array.from({ length: batch }, () => ({ topic: "bench", data: DATA }));
  return {
    port,
    publishPath: batch === 1 ? "/publish" : "/batch",
    streamPath: "/subscribe?topic=bench",
    streamKind: "sse",
    body: batch === 1 ? envelope("bench") : JSON.stringify(messages),
    pipeline: 1,
  };
}

async function startBare(): Promise<Peer> {
  const server = await startBareServer();
  return {
    plan: {
      port: server.port,
      publishPath: "/publish",
      streamPath: "/subscribe",
      streamKind: "sse",
      body: envelope("bench"),
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
