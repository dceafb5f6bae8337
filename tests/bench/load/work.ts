/** Fills a queue and works it off. */
import { openBullmqQueue } from "./bullmq_queue.ts";
import { Ledger } from "./ledger.ts";
import type { RateResult, WorkPlan, WorkSystem } from "./plan.ts";
import { openRunnelQueue } from "./runnel_queue.ts";
import { openStreamQueue } from "./stream_queue.ts";

/** A queue of some make; disposing it removes it with all that is in it. */
export interface WorkQueue extends AsyncDisposable {
  /** Puts in messages numbered from 0. */
  fill(count: number): Promise<void>;
  /** Works the queue off with so many consumers at once; resolves when they all have stopped. */
  work(options: WorkOptions): Promise<void>;
  /** Messages that are still in it, handed out or not. */
  left(): Promise<number>;
}

/** Options of {@link WorkQueue.work}. */
export interface WorkOptions {
  readonly consumers: number;
  /** Messages that a consumer asks for at a time. */
  readonly batch: number;
  readonly ledger: Ledger;
}

const SYSTEMS: Readonly<Record<WorkSystem, (port: number) => Promise<WorkQueue>>> = {
  runnel: openRunnelQueue,
  bullmq: openBullmqQueue,
  stream: openStreamQueue,
};

/**
 * Messages pulled and acknowledged a second. The queue is full when the consumers start, so that they never wait.
 *
 * @throws {Error} when a message was not worked exactly once.
 */
export async function measureWork(plan: WorkPlan): Promise<RateResult> {
  const { system, port, count, warmUp, consumers, batch } = plan;
  await using queue = await SYSTEMS[system](port);
  await queue.fill(count);
  const ledger = new Ledger({ count, warmUp });
  await Promise.all([ledger.finished, runToTheEnd(queue, { consumers, batch, ledger })]);
  const left = await queue.left();
  if (left > 0) throw new Error(`Cannot measure: ${left} messages are left, though ${ledger}`);
  return ledger.result();
}

async function runToTheEnd(queue: WorkQueue, options: WorkOptions): Promise<void> {
  await queue.work(options);
  // Where the consumers stopped early, nobody else will finish it.
  if (!options.ledger.complete) options.ledger.fail(new Error(`Cannot measure: ${options.ledger}`));
}
