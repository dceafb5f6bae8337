/** Starts load in a process of its own. */
import type {
  FanOutPlan,
  GroupsPlan,
  GroupsResult,
  HoldPlan,
  IdlePlan,
  LatencyPlan,
  LatencyResult,
  LoadedRate,
  LoadPlan,
  PagesPlan,
  PubSubLatencyPlan,
  RateResult,
  ReplayPlan,
  RequestPlan,
  RoundTripPlan,
  StormPlan,
  StormResult,
  TrafficCount,
  TrafficPlan,
  WorkPlan,
} from "./load/plan.ts";

/**
 * Messages or bytes a second.
 *
 * @throws {Error} when any request failed: such a number would flatter.
 */
export async function measureRate(
  plan: WorkPlan | ReplayPlan | PagesPlan,
): Promise<number> {
  // The load process answers each role with its own result type.
  const { count, seconds, failures } = await run(plan) as RateResult;
  if (failures > 0) throw new Error(`Cannot measure: ${failures} requests failed`);
  return count / seconds;
}

/** How much of something there is a second, and at what cost. */
export interface Throughput {
  readonly rate: number;
  /** Cores that the load process used meanwhile; it cannot use more than about one. */
  readonly loadCpu: number;
}

/**
 * Answers to requests.
 *
 * @throws {Error} when any request failed: such a number would flatter.
 */
export function measureAnswers(plan: RequestPlan): Promise<Throughput> {
  return measureThroughput(plan);
}

/**
 * Messages that arrive at many subscribers, all of them together.
 *
 * @throws {Error} when any request failed, or a subscriber was cut off: such a number would flatter.
 */
export function measureDeliveries(plan: FanOutPlan): Promise<Throughput> {
  return measureThroughput(plan);
}

async function measureThroughput(plan: RequestPlan | FanOutPlan): Promise<Throughput> {
  const { count, seconds, failures, cpuSeconds } = await run(plan) as LoadedRate;
  if (failures > 0) throw new Error(`Cannot measure: ${failures} requests failed`);
  return { rate: count / seconds, loadCpu: cpuSeconds / seconds };
}

/** How long things took, and at what cost. */
export interface Latencies {
  /** Milliseconds, ascending. */
  readonly latenciesMs: readonly number[];
  /** Cores that the load process used meanwhile. */
  readonly loadCpu: number;
}

/** From publish to receive, or from request to reply. */
export async function measureLatencies(
  plan: LatencyPlan | PubSubLatencyPlan | RoundTripPlan,
): Promise<Latencies> {
  const { latenciesMs, seconds, cpuSeconds } = await run(plan) as LatencyResult;
  return { latenciesMs, loadCpu: cpuSeconds / seconds };
}

/**
 * Opens what waits (idle streams, or requests that nobody answers), calls `look` meanwhile, and closes it.
 *
 * @throws {Error} when any of it did not stay open: such a number would flatter.
 */
export async function whileOpen<T>(plan: IdlePlan | HoldPlan, look: () => Promise<T>): Promise<T> {
  await using load = new Dialogue(plan);
  await load.next();
  const found = await look();
  await load.end();
  return found;
}

/** Counts what happened so far. */
export type CountTraffic = () => Promise<TrafficCount>;

/**
 * Publishes and subscribes while `look` runs, which may count what happened so far.
 *
 * @throws {Error} when any request failed, or a subscriber was cut off: such numbers would flatter.
 */
export async function whileTraffic<T>(
  plan: TrafficPlan,
  look: (count: CountTraffic) => Promise<T>,
): Promise<T> {
  await using load = new Dialogue(plan);
  const next = async () => {
    const count = await load.next<TrafficCount>();
    if (count.failures > 0) throw new Error(`Cannot measure: ${count.failures} requests failed`);
    return count;
  };
  await next();
  const found = await look(async () => {
    await load.tell();
    return await next();
  });
  await load.end();
  return found;
}

/**
 * Connects subscribers, calls `before` when they are, and lets them loose. Resolves when all have what they missed.
 *
 * @throws {Error} when one does not get it.
 */
export async function measureStorm(
  plan: StormPlan,
  before: () => Promise<void>,
): Promise<StormResult> {
  await using load = new Dialogue(plan);
  await load.next();
  await before();
  await load.tell();
  const result = await load.next<StormResult>();
  await load.end();
  return result;
}

const LINE_FEED = new Uint8Array([10]);

/** A load process that is told when to go on by lines, and answers by lines. Disposing it ends its input. */
class Dialogue implements AsyncDisposable {
  readonly #role: LoadPlan["role"];
  readonly #child: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #stdin: WritableStreamDefaultWriter<Uint8Array>;

  constructor(plan: LoadPlan) {
    this.#role = plan.role;
    this.#child = spawn(plan, "piped");
    this.#lines = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#stdin = this.#child.stdin.getWriter();
  }

  async tell(): Promise<void> {
    // where it has ended, no line comes back, which says more
    await this.#stdin.write(LINE_FEED).catch(() => {});
  }

  /**
   * The next line, of which there must never be two at once; the caller vouches for its type.
   *
   * @throws {Error} when the process has ended
   */
  async next<T>(): Promise<T> {
    let text = "";
    while (!text.endsWith("\n")) {
      const { value } = await this.#lines.read();
      if (value === undefined) {
        requireSuccess(await this.#child.status, this.#role);
        throw new Error("Cannot measure: the load process ended");
      }
      text += value;
    }
    return JSON.parse(text);
  }

  /** Ends its input, and waits for it. @throws {Error} when it failed, at any time */
  async end(): Promise<void> {
    await this.#stdin.close().catch(() => {});
    // what nobody reads it could not print, and would fail of
    while (!(await this.#lines.read()).done) { /* Its last words are nobody's. */ }
    requireSuccess(await this.#child.status, this.#role);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stdin.close().catch(() => {});
    await this.#lines.cancel();
    await this.#child.status;
  }
}

/**
 * Latencies of groups of publishers that run side by side.
 *
 * @throws {Error} when any request failed.
 */
export async function measureGroups(plan: GroupsPlan): Promise<GroupsResult> {
  const result = await run(plan) as GroupsResult;
  if (result.failures > 0) throw new Error(`Cannot measure: ${result.failures} requests failed`);
  return result;
}

async function run(plan: LoadPlan): Promise<unknown> {
  const output = await spawn(plan, "null").output();
  requireSuccess(output, plan.role);
  return JSON.parse(new TextDecoder().decode(output.stdout));
}

// its own words are on stderr
function requireSuccess({ success }: Deno.CommandStatus, role: LoadPlan["role"]): void {
  if (!success) throw new Error(`Cannot measure: the load process for ${role} failed`);
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
