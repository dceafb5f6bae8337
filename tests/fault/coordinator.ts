/** `deno task reshard` in a process of its own, which can be killed. */
import { fileURLToPath } from "node:url";
import { spawnGuarded } from "../../lib/cli/topology/guarded_process.ts";
import { until } from "../_support/until.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Options of {@link startCoordinator}. */
export interface CoordinatorOptions {
  /** The environment that leads to where the partitions are. */
  readonly env: Readonly<Record<string, string>>;
  readonly to: readonly string[];
  readonly partitions?: number;
}

/** A running coordinator. */
export interface Coordinator extends AsyncDisposable {
  /** How many steps it has begun. */
  steps(): Promise<number>;
  /** Waits for its end; what it wrote where it failed. */
  done(): Promise<{ code: number; output: string }>;
  kill9(): Promise<void>;
  readonly exited: boolean;
}

/** Starts it. */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  const { env, to, partitions } = options;
  const file = await Deno.makeTempFile({ prefix: "runnel-reshard-" });
  const number = partitions === undefined ? [] : ["--partitions", `${partitions}`];
  const child = spawnGuarded({
    command: Deno.execPath(),
    args: ["run", "-A", "lib/cli/main.ts", "reshard", "--to", to.join(" "), ...number],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
    stdout: file,
    stderr: file,
  });
  return {
    steps: async () => [...(await Deno.readTextFile(file)).matchAll(/^.*partition/gm)].length,
    done: async () => {
      const { code } = await child.status;
      return { code, output: await Deno.readTextFile(file) };
    },
    kill9: child.kill9,
    get exited() {
      return child.exited;
    },
    [Symbol.asyncDispose]: async () => {
      await child.kill9();
      await Deno.remove(file);
    },
  };
}

/**
 * Spreads partitions though the coordinator is killed with -9 again and again, each time somewhere in a step.
 *
 * @returns what the last one wrote
 */
export async function reshardThroughKills(
  options: CoordinatorOptions,
  { kills, random }: { kills: number; random: () => number },
): Promise<string> {
  for (let killed = 0; killed < kills; killed++) {
    await using coordinator = await startCoordinator(options);
    const steps = 1 + Math.floor(random() * 3);
    await until(async () => coordinator.exited || await coordinator.steps() >= steps, {
      timeoutMs: 40_000,
      everyMs: 2,
      what: "the coordinator to begin a step",
    });
    const end = performance.now() + random() * 150;
    await until(() => performance.now() >= end, { everyMs: 1 });
    await coordinator.kill9();
  }
  await using coordinator = await startCoordinator(options);
  const { code, output } = await coordinator.done();
  if (code !== 0) throw new Error(`The last coordinator failed: ${output}`);
  return output;
}
