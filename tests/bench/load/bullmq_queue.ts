/** A queue of BullMQ, with the options that its guide names for many jobs. */
import { Queue, Worker } from "bullmq";
import { workData } from "../message.ts";
import type { WorkQueue } from "./work.ts";

const NAME = "bench-work";
const BATCH = 500;

/**
 * Makes a queue, in the Redis of this port. Its worker takes one job with each completion, in one script; asking for
 * more at a time is not among what it offers.
 */
export function openBullmqQueue(port: number): Promise<WorkQueue> {
  const connection = { host: "127.0.0.1", port };
  const queue = new Queue<{ n: number }>(NAME, { connection });
  return Promise.resolve({
    async fill(count) {
      for (let from = 0; from < count; from += BATCH) {
        const size = Math.min(BATCH, count - from);
        await queue.addBulk(
          Array.from(
            { length: size },
            (_, index) => ({ name: "job", data: workData(from + index) }),
          ),
        );
      }
    },
    async work({ consumers, ledger }) {
      const worker = new Worker<{ n: number }>(NAME, (job) => {
        ledger.take(job.data.n);
        return Promise.resolve();
      }, { connection, concurrency: consumers, removeOnComplete: { count: 0 } });
      worker.on("completed", () => ledger.acknowledge(1));
      worker.on("failed", (_job, error) => ledger.fail(error));
      worker.on("error", (error) => ledger.fail(error));
      await ledger.finished;
      await worker.close();
    },
    async left() {
      const counts = await queue.getJobCounts();
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    async [Symbol.asyncDispose]() {
      await queue.obliterate({ force: true });
      await queue.close();
    },
  });
}
