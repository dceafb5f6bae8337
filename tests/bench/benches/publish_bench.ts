/** Durable publishes over HTTP, one message a request, each with a token. */
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { JWT_ENV } from "../../_support/credentials.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { type Comparison, rowsOf } from "../comparison.ts";
import type { RequestPlan } from "../load/plan.ts";
import { LoadLog } from "../load_log.ts";
import { measureAnswers, type Throughput } from "../load_process.ts";
import { DATA, envelope } from "../message.ts";
import { startBarePublisher, startBareServer } from "../peers/bare_process.ts";
import { startRedisLimits } from "../peers/redis_limits.ts";
import { startRedisPy } from "../peers/redis_py.ts";
import { startRunnel } from "../runnel.ts";
import { bearerLine, tokensOf } from "../tokens.ts";

const CONNECTIONS = 64;
const TEXT = JSON.stringify(DATA);
const LIMITS = { clients: CONNECTIONS, pipeline: 1, count: 100_000, text: TEXT };
const REDIS_PY = { text: TEXT, modes: { "redis-py PUBLISH": "publish" } } as const;

/** Publishes a second with both fsync policies, beside an echo, Redis clients and the limits of Redis. */
export const publishBench: Bench = {
  name: "publish",
  about: `durable POST /publish with a JWT, ${CONNECTIONS} connections, against a JSON echo, ` +
    "a bare publisher, redis-py and redis-benchmark",
  async run(options: BenchOptions): Promise<Row[]> {
    const { say, seconds } = options;
    await using stack = new AsyncDisposableStack();
    const log = new LoadLog();
    const results = await takeTurns<string>(options, {
      ...log.things(await startServers(stack, options)),
      ...await startRedisPy(stack, { ...REDIS_PY, say, seconds }),
      ...await startRedisLimits(stack, { ...LIMITS, say }),
    });
    return rowsOf(COMPARISONS, results, log);
  },
};

async function startServers(
  stack: AsyncDisposableStack,
  { seconds }: BenchOptions,
): Promise<Record<string, () => Promise<Throughput>>> {
  const start = async (appendfsync: "everysec" | "always") =>
    stack.use(await startRunnel({ redis: { appendfsync }, env: JWT_ENV })).port;
  const [everysec, always] = [await start("everysec"), await start("always")];
  const echo = stack.use(await startBareServer()).port;
  const store = stack.use(await startRedis({ appendfsync: "everysec" }));
  const bare = stack.use(await startBarePublisher(store.port)).port;
  const headers = (await tokensOf(CONNECTIONS)).map(bearerLine);
  const bodies = [envelope("bench")];
  const many = Array.from({ length: 100 }, (_, index) => envelope(`bench.${index}`));
  const publish = (plan: Pick<RequestPlan, "port" | "bodies">) => () =>
    measureAnswers({ ...COMMON, seconds, path: "/publish", headers, ...plan });
  return {
    echo: () => measureAnswers({ ...COMMON, seconds, path: "/echo", port: echo, bodies }),
    "bare publisher": publish({ port: bare, bodies }),
    everysec: publish({ port: everysec, bodies }),
    always: publish({ port: always, bodies }),
    "always, 100 topics": publish({ port: always, bodies: many }),
  };
}

const COMMON = { role: "requests", connections: CONNECTIONS, warmUpSeconds: 0.7 } as const;

const ECHO = { baseline: "echo", baselineName: "JSON echo", unit: "/s" };
const BARE = "bare publisher, everysec";
const PYTHON = {
  baseline: "redis-py PUBLISH",
  baselineName: "redis-py PUBLISH, one connection",
  unit: "/s",
  note: "redis-py publishes to nobody, and what it publishes is stored nowhere",
};
const limit = (baseline: string) => ({
  baseline,
  baselineName: `redis-benchmark -c ${CONNECTIONS} ${baseline}`,
  unit: "/s",
});
const EVERYSEC = { name: "publish, everysec", runnel: "everysec" };
const ALWAYS = { name: "publish, always", runnel: "always" };

const COMPARISONS: readonly Comparison[] = [
  { ...EVERYSEC, ...ECHO, aim: { ratio: 0.75, better: "higher" } },
  { ...ALWAYS, ...ECHO, aim: { ratio: 0.45, better: "higher" } },
  { name: "publish, always, 100 topics", runnel: "always, 100 topics", ...ECHO },
  { ...EVERYSEC, baseline: "bare publisher", baselineName: BARE, unit: "/s" },
  {
    name: BARE,
    subject: "bare publisher",
    runnel: "bare publisher",
    ...ECHO,
    note:
      "not Runnel: Deno.serve and an XADD through ioredis for each request, and nothing else; " +
      "it is sent tokens and looks at none",
  },
  { ...EVERYSEC, ...PYTHON, aim: { ratio: 1.5, better: "higher" } },
  { ...ALWAYS, ...PYTHON, aim: { ratio: 1.5, better: "higher" } },
  { ...EVERYSEC, ...limit("XADD, everysec") },
  { ...ALWAYS, ...limit("XADD, always") },
  { ...EVERYSEC, ...limit("PUBLISH") },
];
