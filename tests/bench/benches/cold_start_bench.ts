/** How long a function takes from nothing to its first answer. */
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { JWT_ENV } from "../../_support/credentials.ts";
import { launchServer, type ServerOptions } from "../../_support/server.ts";
import { sleep } from "../../_support/until.ts";
import { type Bench, type BenchOptions, type Row, takeTurns } from "../bench.ts";
import { HttpSocket, postBytes } from "../load/http_socket.ts";
import { envelope } from "../message.ts";
import { sampleOf } from "../statistics.ts";
import { bearerLine, tokensOf } from "../tokens.ts";

/** A start is over so soon that a round may have several. */
const STARTS_A_ROUND = 5;
const MOST_MS = 250;
/** Between two looks; what is measured is late by half of it. */
const LOOK_MS = 1;
const TIMEOUT_MS = 30_000;

/** From the start of `deno serve functions/publish.ts` to the first 200, beside a file that does nothing. */
export const coldStartBench: Bench = {
  name: "coldstart",
  about: "deno serve functions/publish.ts to its first 200, against an empty file",
  async run(options: BenchOptions): Promise<Row[]> {
    await using redis = await startRedis();
    const [token = ""] = await tokensOf(1);
    const request = postBytes("/publish", envelope("bench"), bearerLine(token));
    const start = (file: string) => () =>
      untilAnswered({ file, redisUrl: redis.url, env: JWT_ENV }, request);
    const starts = {
      empty: start("tests/bench/peers/empty_function.ts"),
      publish: start("functions/publish.ts"),
    };
    // Deno compiles what it has never run, and Redis has its keys after the first message.
    for (const once of Object.values(starts)) await once();
    const rounds = options.rounds * STARTS_A_ROUND;
    const results = await takeTurns({ ...options, rounds }, starts);
    const baseline = sampleOf(results.empty);
    return [{
      name: "cold start to the first publish",
      unit: "ms",
      runnel: sampleOf(results.publish),
      baselineName: "empty deno serve",
      baseline,
      aim: { limit: baseline.median + MOST_MS, better: "lower" },
      note:
        `wanted is ${MOST_MS} ms above the baseline; with a token, and what Deno compiled before`,
    }];
  },
};

/** Milliseconds from the start of the process until the request is answered 200. */
async function untilAnswered(options: ServerOptions, request: Uint8Array): Promise<number> {
  const start = performance.now();
  await using server = await launchServer(options);
  while (performance.now() - start < TIMEOUT_MS && !server.exited) {
    const status = await ask(server.port, request);
    if (status === 200) return performance.now() - start;
    if (status !== undefined && status !== 503) {
      throw new Error(`Cannot measure: it says ${status}`);
    }
    await sleep(LOOK_MS);
  }
  throw new Error(`Cannot measure: it does not answer: ${(await server.output()).stderr}`);
}

/** The answer's status; undefined while nobody listens. */
async function ask(port: number, request: Uint8Array): Promise<number | undefined> {
  try {
    using socket = await HttpSocket.connect(port);
    return await socket.exchange(request);
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return undefined;
    throw error;
  }
}
