import { setTimeout as pause } from "node:timers/promises";
import { Api, URL_OPTION } from "../api.ts";
import type { Command } from "../command.ts";
import type { DemoStage as Stage } from "../demo_stage.ts";
import { showQuestion } from "../demo_question.ts";
import { showWork } from "../demo_work.ts";
import { readEvents } from "../event_stream.ts";
import type { Style, Terminal } from "../terminal.ts";

/** `deno task demo`: shows who gets what. */
export const demo: Command = {
  name: "demo",
  usage: "demo",
  summary: "Shows the three patterns of messaging on a running server",
  details: `
Ann publishes to demo.weather, Ben to demo.news; Cleo subscribes to demo.weather alone, Dan to the pattern demo.*
Then Eve and Fay share the work of demo.jobs, and Gus answers what is asked on demo.questions.`,
  examples: [
    "deno task demo",
    "deno task demo --count 20 --every-ms 50",
  ],
  options: {
    count: { value: "<n>", help: "Messages of each publisher (5)" },
    "every-ms": { value: "<n>", help: "Milliseconds between two messages of one publisher (400)" },
    url: URL_OPTION,
  },
  positionals: { least: 0, most: 0 },
  async run(input, terminal) {
    const stage: Stage = {
      api: new Api(input.text("url")),
      terminal,
      run: crypto.randomUUID(),
      count: input.number("count", 1) ?? 5,
      everyMs: input.number("every-ms") ?? 400,
    };
    title(terminal, "Publish/subscribe: everybody gets every message");
    const cleo = listen(stage, {
      name: "Cleo",
      topic: "demo.weather",
      style: "green",
      expected: 1,
    });
    const dan = listen(stage, { name: "Dan", topic: "demo.*", style: "magenta", expected: 2 });
    await Promise.all([cleo.ready, dan.ready]);
    await Promise.all([
      speak(stage, { name: "Ann", topic: "demo.weather", style: "blue" }),
      speak(stage, { name: "Ben", topic: "demo.news", style: "yellow" }),
    ]);
    await Promise.all([cleo.done, dan.done]);
    terminal.out(
      "Cleo got every message of one topic, Dan of both, each in the order it was stored",
    );
    title(terminal, "Point-to-point: each message is worked on by one");
    await showWork(stage);
    title(terminal, "Request/reply: a question, and an answer");
    await showQuestion(stage);
    return 0;
  },
};

function title(terminal: Terminal, text: string): void {
  terminal.out("");
  terminal.out(terminal.style("bold", text));
}

interface Role {
  readonly name: string;
  readonly topic: string;
  readonly style: Style;
}

async function speak({ api, terminal, run, count, everyMs }: Stage, role: Role): Promise<void> {
  for (let number = 1; number <= count; number++) {
    const data = { from: role.name, number, run };
    await api.send("publish", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ topic: role.topic, data }),
    }).then((response) => response.body?.cancel());
    terminal.out(`${terminal.style(role.style, role.name.padEnd(5))} → ${role.topic} #${number}`);
    if (number < count) await pause(everyMs);
  }
}

function listen({ api, terminal, run, count }: Stage, role: Role & { expected: number }) {
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  const done = (async () => {
    let left = role.expected * count;
    const query = [["topic", role.topic]] as const;
    const events = readEvents(api, { query, resume: () => query, onBreak: terminal.err });
    for await (const { event, data } of events) {
      if (event === "$ready") resolve();
      if (event !== undefined) continue;
      const message = JSON.parse(data);
      if (message.data?.run !== run) continue;
      const { from, number } = message.data;
      const name = terminal.style(role.style, role.name.padEnd(5));
      terminal.out(`${name} ←   ${message.topic} #${number} from ${from}`);
      if (--left === 0) return;
    }
  })();
  done.catch(reject);
  return { ready, done };
}
