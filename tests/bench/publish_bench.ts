/** Durable publishes over HTTP, one message a request. */
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { startBareServer } from "./bare_process.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "./bench.ts";
import { measureRate } from "./load_process.ts";
import { envelope } from "./message.ts";
import { sampleOf } from "./statistics.ts";

const CONNECTIONS = 64;

/** Publishes a second with both fsync policies, beside a server that echoes the same JSON. */
export const publishBench: Bench = {
  name: "publish",
  about: `durable POST /publish, ${CONNECTIONS} connections, against a server that echoes the JSON`,
  async run(options: BenchOptions): Promise<Row[]> {
    await using everysec = await startRedis({ appendfsync: "everysec" });
    await using always = await startRedis({ appendfsync: "always" });
    await using onEverysec = await startServer({ redisUrl: everysec.url });
    await using onAlways = await startServer({ redisUrl: always.url });
    await using bare = await startBareServer();
    const one = [envelope("bench")];
    const many = Array.from({ length: 100 }, (_, index) => envelope(`bench.${index}`));
    const rate = (port: number, path: string, bodies: string[]) => () =>
      measureRate({
        role: "requests",
        connections: CONNECTIONS,
        warmUpSeconds: 0.7,
        seconds: options.seconds,
        ...{ port, path, bodies },
      });
    const results = await takeTurns(options, {
      echo: rate(bare.port, "/echo", one),
      everysec: rate(onEverysec.port, "/publish", one),
      always: rate(onAlways.port, "/publish", one),
      "always, 100 topics": rate(onAlways.port, "/publish", many),
    });
    const against = { baselineName: "JSON echo", baseline: sampleOf(results.echo), unit: "/s" };
    return [
      {
        name: "publish, everysec",
        runnel: sampleOf(results.everysec),
        ...against,
        aim: { ratio: 0.7, better: "higher" },
      },
      {
        name: "publish, always",
        runnel: sampleOf(results.always),
        ...against,
        aim: { ratio: 0.4, better: "higher" },
      },
      {
        name: "publish, always, 100 topics",
        runnel: sampleOf(results["always, 100 topics"]),
        ...against,
      },
    ];
  },
};
