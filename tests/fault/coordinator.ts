/** `deno task reshard` in a process of its own, which is killed. */
import { startCli } from "../cli/background_cli.ts";
import { until } from "../_support/until.ts";

/** Options of {@link reshardThroughKills}. */
export interface CoordinatorOptions {
  /** The environment that leads to where the partitions are. */
  readonly env: Readonly<Record<string, string>>;
  readonly to: readonly string[];
  readonly partitions?: number;
  readonly kills: number;
  readonly random: () => number;
}

/**
 * Spreads partitions though the coordinator is killed with -9 again and again, each time somewhere in a step.
 *
 * @returns what the last one wrote
 */
export async function reshardThroughKills(options: CoordinatorOptions): Promise<string> {
  const { env, to, partitions, kills, random } = options;
  const number = partitions === undefined ? [] : ["--partitions", `${partitions}`];
  const start = () => startCli(["reshard", "--to", to.join(" "), ...number], env);
  for (let killed = 0; killed < kills; killed++) {
    await using coordinator = await start();
    const goal = 1 + Math.floor(random() * 3);
    const steps = async () => [...(await coordinator.stderr()).matchAll(/^.*partition/gm)].length;
    await until(async () => coordinator.exited || await steps() >= goal, {
      timeoutMs: 40_000,
      everyMs: 2,
      what: "the coordinator to begin a step",
    });
    const end = performance.now() + random() * 150;
    await until(() => performance.now() >= end, { everyMs: 1 });
    await coordinator.kill9();
  }
  await using coordinator = await start();
  if (await coordinator.code === 0) return await coordinator.stdout();
  throw new Error(`The last coordinator failed: ${await coordinator.stderr()}`);
}
