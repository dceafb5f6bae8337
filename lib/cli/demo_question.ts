import { call, type DemoStage, say } from "./demo_stage.ts";
import { readEvents } from "./event_stream.ts";

const TOPIC = "demo.questions";

/** One asks, another answers. */
export async function showQuestion(stage: DemoStage): Promise<void> {
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const answered = answerOne(stage, resolve);
  answered.catch(reject);
  await ready;
  const question = { run: stage.run, text: "What is 6 x 7?" };
  say(stage, "Ann", "blue", `asks ${question.text}`);
  const reply = await call(stage, "request", {
    body: { topic: TOPIC, data: question, timeoutMs: 10_000 },
  }) as { data: unknown };
  say(stage, "Ann", "blue", `gets ${reply.data}`);
  await answered;
}

async function answerOne(stage: DemoStage, onReady: () => void): Promise<void> {
  const query = [["topic", TOPIC]] as const;
  const events = readEvents(stage.api, {
    query,
    resume: () => query,
    onBreak: stage.terminal.err,
  });
  for await (const { event, data } of events) {
    if (event === "$ready") onReady();
    if (event !== undefined) continue;
    const message = JSON.parse(data);
    if (message.data?.run !== stage.run) continue;
    say(stage, "Gus", "yellow", `hears it, and answers`);
    await call(stage, "reply", { body: { replyTo: message.replyTo, data: 42 } });
    return;
  }
}
