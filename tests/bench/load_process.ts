/** Starts load in a process of its own. */
import type {
  FanOutPlan,
  HoldPlan,
  IdlePlan,
  LatencyPlan,
  LatencyResult,
  LoadPlan,
  PubSubLatencyPlan,
  RateResult,
  RequestPlan,
  RoundTripPlan,
  WorkPlan,
} from "./load/plan.ts";

/**
 * Answers, messages or bytes a second.
 *
 * @throws {Error} when any request failed: such a number would flatter.
 */
export async function measureRate(plan: RequestPlan | FanOutPlan | WorkPlan): Promise<number> {
  // The load process answers each role with its own result type.
  const { count, seconds, failures } = await run(plan) as RateResult;
  if (failures > 0) throw new Error(`Cannot measure: ${failures} requests failed`);
  return count / seconds;
}

/** Latencies in milliseconds, ascending. */
export async function measureLatencies(
  plan: LatencyPlan | PubSubLatencyPlan | RoundTripPlan,
): Promise<readonly number[]> {
  const { latenciesMs } = await run(plan) as LatencyResult;
  return latenciesMs;
}

/** Opens what waits (idle streams, or requests that nobody answers), calls `look` meanwhile, and closes it. */
export async function whileOpen<T>(plan: IdlePlan | HoldPlan, look: () => Promise<T>): Promise<T> {
  const child = spawn(plan, "piped");
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  if (!value) throw new Error("Cannot open what should wait: the load process ended");
  try {
    return await look();
  } finally {
    await child.stdin.close();
    await child.stdout.cancel();
    await child.status;
  }
}

async function run(plan: LoadPlan): Promise<unknown> {
  const { success, stdout } = await spawn(plan, "null").output();
  if (!success) throw new Error(`Cannot measure: the load process for ${plan.role} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function spawn(plan: LoadPlan, stdin: "null" | "piped"): Deno.ChildProcess {
  const main = new URL("./load/main.ts", import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", main, JSON.stringify(plan)],
    stdin,
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}
