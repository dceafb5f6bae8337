/** What it costs to know who publishes. */
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { ALL, apiKey, JWT_ENV } from "../../_support/credentials.ts";
import { startServer } from "../../_support/server.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { LoadLog } from "../load_log.ts";
import { measureAnswers } from "../load_process.ts";
import { envelope } from "../message.ts";
import { sampleOf } from "../statistics.ts";
import { bearerLine, tokensOf } from "../tokens.ts";

const CONNECTIONS = 64;
/** As many publishers as a load process can be told of. */
const PUBLISHERS = 200;

/** Publishes a second with tokens and with a key, beside open mode. */
export const authBench: Bench = {
  name: "auth",
  about: `durable POST /publish with tokens and API keys, against open mode`,
  async run(options: BenchOptions): Promise<Row[]> {
    await using redis = await startRedis({ appendfsync: "everysec" });
    const { text, key } = apiKey("bench", ALL);
    const env = { ...JWT_ENV, RUNNEL_AUTH: "jwt,keys", RUNNEL_KEYS: JSON.stringify([key]) };
    await using open = await startServer({ redisUrl: redis.url });
    await using guarded = await startServer({ redisUrl: redis.url, env });
    const tokens = await tokensOf(PUBLISHERS);
    const rate = (port: number, credentials: readonly string[]) => () =>
      measureAnswers({
        role: "requests",
        path: "/publish",
        bodies: [envelope("bench")],
        headers: credentials.length === 0 ? [""] : credentials.map(bearerLine),
        connections: CONNECTIONS,
        warmUpSeconds: 0.7,
        seconds: options.seconds,
        port,
      });
    const log = new LoadLog();
    const results = await takeTurns(
      options,
      log.things({
        open: rate(open.port, []),
        "one token": rate(guarded.port, tokens.slice(0, 1)),
        "many tokens": rate(guarded.port, tokens),
        "an API key": rate(guarded.port, [text]),
      }),
    );
    const row = (name: "one token" | "many tokens" | "an API key"): Row => ({
      name: `publish, ${name}`,
      unit: "/s",
      runnel: sampleOf(results[name]),
      baselineName: "open mode",
      baseline: sampleOf(results.open),
      ...log.partOf(name, "open"),
      aim: { ratio: 0.9, better: "higher" },
    });
    return [row("one token"), row("many tokens"), row("an API key")];
  },
};
