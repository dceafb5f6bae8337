import { setTimeout as pause } from "node:timers/promises";
import { segment } from "./api.ts";
import { call, type DemoStage, say } from "./demo_stage.ts";
import type { Style } from "./terminal.ts";
import { Worker, type WorkMessage } from "./worker.ts";

const TOPIC = "demo.jobs";
const JOBS = 6;
/** The job that fails at first. */
const HARD = 3;

/** Two workers share jobs; one job fails at first and comes back. */
export async function showWork(stage: DemoStage): Promise<void> {
  const group = `demo-${stage.run}`;
  const path = `topics/${segment(TOPIC)}/groups/${group}`;
  await call(stage, path, { method: "PUT", body: {} });
  const finished = new AbortController();
  let done = 0;
  const finish = (message: WorkMessage) => {
    const { number } = message.data as { number: number };
    const failed = number === HARD && message.deliveries === 1;
    if (!failed && ++done === JOBS) finished.abort();
    return !failed;
  };
  const workers = ([["Eve", "green"], ["Fay", "magenta"]] as const).map(([who, style]) =>
    worker(stage, { who, style, group, finish }).run(finished.signal)
  );
  try {
    for (let number = 1; number <= JOBS; number++) {
      await call(stage, "publish", { body: { topic: TOPIC, data: { number } } });
    }
    say(stage, "Ann", "blue", `→ ${TOPIC} #1 to #${JOBS}`);
    await Promise.all(workers);
  } finally {
    finished.abort();
    await call(stage, path, { method: "DELETE" });
  }
  stage.terminal.out("Each job was done by one of the two; the one that failed came back");
}

function worker(
  stage: DemoStage,
  { who, style, group, finish }: {
    who: string;
    style: Style;
    group: string;
    finish: (message: WorkMessage) => boolean;
  },
): Worker {
  return new Worker({
    api: stage.api,
    topic: TOPIC,
    group,
    consumer: who,
    concurrency: 1,
    leaseMs: 10_000,
    wait: true,
    retryDelayMs: () => stage.everyMs,
    onTrouble: (text) => stage.terminal.err(text),
    async handle(message) {
      const { number } = message.data as { number: number };
      await pause(stage.everyMs / 2);
      const ok = finish(message);
      const again = message.deliveries > 1 ? `, delivery ${message.deliveries}` : "";
      say(stage, who, style, `← #${number}${again}: ${ok ? "done" : "failed, gives it back"}`);
      return ok;
    },
  });
}
