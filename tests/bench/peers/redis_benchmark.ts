/** redis-benchmark, the load generator that comes with Redis: what a Redis does at most. */

/** Options of {@link RedisBenchmark.measure}. */
export interface RedisBenchmarkPlan {
  /** Of Redis. */
  readonly port: number;
  readonly command: readonly string[];
  readonly clients: number;
  /** Commands that a client sends before it waits for their answers. */
  readonly pipeline: number;
  /** Commands in all. */
  readonly count: number;
}

/** The program, where it is installed. */
export interface RedisBenchmark {
  /** Commands a second. @throws {Error} when it fails or says what nobody can read */
  measure(plan: RedisBenchmarkPlan): Promise<number>;
}

/** Looks for it; says how to get it where it is not. */
export async function findRedisBenchmark(
  say: (text: string) => void,
): Promise<RedisBenchmark | undefined> {
  try {
    await run(["--version"]);
    return { measure };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    say("redis-benchmark is missing: apt-get install redis-tools; its rows are left out");
    return undefined;
  }
}

async function measure(plan: RedisBenchmarkPlan): Promise<number> {
  const { success, stdout, stderr } = await run([
    ...["-p", `${plan.port}`, "-c", `${plan.clients}`, "-P", `${plan.pipeline}`],
    ...["-n", `${plan.count}`, "--csv", ...plan.command],
  ]);
  const text = new TextDecoder().decode(stdout);
  const rate = rateIn(text);
  if (success && rate !== undefined) return rate;
  throw new Error(`Cannot read redis-benchmark: ${text} ${new TextDecoder().decode(stderr)}`);
}

/** The rate in what it prints with `--csv`. */
export function rateIn(csv: string): number | undefined {
  const last = csv.trim().split("\n").at(-1) ?? "";
  // The rate is followed by six latencies; the command before it may hold anything.
  const rate = Number(/"([\d.]+)"(?:,"[\d.]+"){6}$/.exec(last)?.[1]);
  return rate > 0 ? rate : undefined;
}

function run(args: string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command("redis-benchmark", { args, stdin: "null" }).output();
}
