/** The servers that `growth` measures, each with a Redis of its own. */
import os from "node:os";
import { taskFlags } from "../../_support/task_flags.ts";
import { sleep, until } from "../../_support/until.ts";
import { costBetween } from "../cost.ts";
import type { TrafficPlan } from "../load/plan.ts";
import { type CountTraffic, whileTraffic } from "../load_process.ts";
import { takeReading } from "../reading.ts";
import { NO_REWRITE } from "../redis_flags.ts";
import { RedisGauge } from "../redis_gauge.ts";
import { type Runnel, type RunnelOptions, startRunnel } from "../runnel.ts";
import type { Usage } from "./growth_measures.ts";

/** What is sent and who reads it. */
export type Load = Omit<TrafficPlan, "role" | "port">;

const WARM_UP_MS = 700;

/** A Runnel and its Redis, which fsyncs always. Disposing it ends both. */
export class GrowthArm implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #gauge: RedisGauge;
  readonly #runnel: Runnel;

  private constructor(
    stack: AsyncDisposableStack,
    { gauge, runnel }: { gauge: RedisGauge; runnel: Runnel },
  ) {
    this.#stack = stack;
    this.#gauge = gauge;
    this.#runnel = runnel;
  }

  /** Starts both. */
  static async start({ env, ...options }: RunnelOptions): Promise<GrowthArm> {
    await using stack = new AsyncDisposableStack();
    const runnel = stack.use(
      await startRunnel({
        ...options,
        redis: { args: NO_REWRITE },
        env: { LOG_LEVEL: "silent", ...env },
      }),
    );
    const gauge = stack.use(new RedisGauge(runnel.redis.port));
    return new GrowthArm(stack.move(), { gauge, runnel });
  }

  /** Sends the load until so many messages are published, so that code is compiled and topics are there. */
  async warmUp(load: Load, messages: number): Promise<void> {
    await whileTraffic({ role: "traffic", port: this.#runnel.port, ...load }, async (count) => {
      await until(async () => (await count()).published >= messages, {
        ...{ timeoutMs: 60_000, everyMs: 50, what: `${messages} messages` },
      });
    });
  }

  /** Rates and costs under the load. */
  async measure(load: Load, seconds: number): Promise<Usage> {
    return await whileTraffic(
      { role: "traffic", port: this.#runnel.port, ...load },
      async (count) => {
        await sleep(WARM_UP_MS);
        const before = await this.#read(count);
        await sleep(seconds * 1_000);
        const after = await this.#read(count);
        const loadSeconds = after.loadSeconds - before.loadSeconds;
        return {
          ...costBetween(before, after),
          loadCores: loadSeconds / (after.at - before.at) * 1_000,
        };
      },
    );
  }

  async #read(count: CountTraffic) {
    let loadSeconds = 0;
    const reading = await takeReading(
      { gauges: [this.#gauge], pid: this.#runnel.pid },
      async () => {
        const counted = await count();
        loadSeconds = counted.cpuSeconds;
        return counted;
      },
    );
    return { ...reading, loadSeconds };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Numbers of isolates that are compared: 1, 2, 4 … and one for each core. */
export function isolateCounts(cores: number = os.availableParallelism()): number[] {
  const counts = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return [...counts, cores];
}

/** `deno serve` with everything, on so many isolates. */
export function serveOn(isolates: number): RunnelOptions {
  return {
    file: "functions/main.ts",
    denoArgs: [...(isolates > 1 ? ["--parallel"] : []), ...taskFlags("serve")],
    env: { DENO_JOBS: `${isolates}`, RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" },
  };
}
