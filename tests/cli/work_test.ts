import assert from "node:assert/strict";
import { main } from "../../lib/cli/main.ts";
import { startRunnel } from "../_support/fixture.ts";
import { deadline } from "../_support/until.ts";
import { MemoryTerminal } from "./memory_terminal.ts";
import { runCli } from "./run_cli.ts";

/** A server, and ways to run commands against it: in this process, and in one of their own. */
async function stage() {
  const fixture = await startRunnel();
  const env = { RUNNEL_URL: fixture.url };
  return {
    url: fixture.url,
    runnel: fixture.runnel,
    async run(...args: string[]) {
      const terminal = new MemoryTerminal();
      const at = args.indexOf("--");
      const own = at < 0 ? args.length : at;
      const all = [...args.slice(0, own), "--url", fixture.url, ...args.slice(own)];
      const code = await deadline(main(all, terminal), 20_000, args[0]);
      return { code, out: terminal.outLines, err: terminal.stderr };
    },
    cli: (...args: string[]) => deadline(runCli(args, { env }), 30_000, args[0]),
    async api(path: string, body: unknown) {
      const response = await fetch(`${fixture.url}/${path}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return await response.json();
    },
    [Symbol.asyncDispose]: () => fixture[Symbol.asyncDispose](),
  };
}

const ALL = ["--since", "earliest", "--no-wait"];

async function groupOf(scene: Awaited<ReturnType<typeof stage>>, topic = "jobs") {
  const response = await fetch(`${scene.url}/topics/${topic}`);
  return (await response.json()).groups[0];
}

Deno.test("work runs the command for each message and acknowledges what ended with 0", async () => {
  await using scene = await stage();
  for (const data of ["one", { two: 2 }]) await scene.api("publish", { topic: "jobs", data });
  const { code, stdout, stderr } = await scene.cli(
    ...["work", "jobs", "--group", "g", ...ALL, "--", "sh", "-c"],
    'cat; echo " $RUNNEL_MESSAGE_TOPIC $RUNNEL_MESSAGE_DELIVERIES"',
  );
  assert.equal(code, 0, stderr);
  assert.deepEqual(stdout.trim().split("\n").sort(), ["one jobs 1", '{"two":2} jobs 1'].sort());
  assert.match(stderr, /2 done, 0 given back/);
  const { pending, lag } = await groupOf(scene);
  assert.deepEqual([pending, lag], [0, 0]);
});

Deno.test("work gives a message back when its command fails, and it becomes a dead letter", async () => {
  await using scene = await stage();
  await scene.api("publish", { topic: "jobs", data: "poison" });
  const args = ["work", "jobs", "--group", "g", "--retry-delay", "0ms", ...ALL, "--", "false"];
  const { code, stderr } = await scene.cli(...args);
  assert.equal(code, 0);
  assert.match(stderr, /0 done, 5 given back/);
  const listed = await scene.run("dead", "list", "jobs");
  assert.equal(listed.out.length, 1);
  assert.match(listed.out[0] ?? "", /poison.*g: 5 deliveries, nack/);
  const [letter] =
    (await (await fetch(`${scene.url}/topics/%24dead.jobs/messages`)).json()).messages;
  const shown = await scene.run("dead", "show", "jobs", letter.id);
  assert.equal(JSON.parse(shown.out.join("\n")).data, "poison");
  assert.deepEqual((await scene.run("dead", "redrive", "jobs", letter.id)).out, [
    "1 given back to their groups",
  ]);
  const again = await scene.run("dead", "redrive", "jobs", letter.id);
  assert.match(again.err, /is no open dead letter/);
  const worked = await scene.run("work", "jobs", "--group", "g", ...ALL);
  assert.match(worked.out.join(), /poison/);
});

Deno.test("work without a group, and dead with nothing to do, say how they are called", async () => {
  await using scene = await stage();
  for (const args of [["work", "jobs"], ["dead", "redrive", "jobs"], ["dead", "drop", "jobs"]]) {
    const { code, err } = await scene.run(...args);
    assert.equal(code, 2);
    assert.match(err, /deno task/);
  }
  assert.match((await scene.run("dead", "list", "jobs")).err, /no dead letters/);
});

Deno.test("work says that there is no such command, and gives the message back", async () => {
  await using scene = await stage();
  await scene.api("publish", { topic: "jobs", data: 1 });
  const { err } = await scene.run(
    ...["work", "jobs", "--group", "g", "--limit", "1", ...ALL, "--", "no-such-command-here"],
  );
  assert.match(err, /Cannot run no-such-command-here/);
  assert.equal((await groupOf(scene)).pending, 1);
});

Deno.test("work keeps the lease of a command that takes longer than it", async () => {
  await using scene = await stage();
  await scene.api("publish", { topic: "jobs", data: 1 });
  const { stderr } = await scene.cli(
    ...["work", "jobs", "--group", "g", "--lease", "600ms", ...ALL, "--", "sleep", "2"],
  );
  assert.match(stderr, /1 done, 0 given back/);
  assert.equal((await groupOf(scene)).pending, 0);
});

Deno.test("request prints what a replier's command prints", async () => {
  await using scene = await stage();
  const replier = scene.cli(
    ...["reply", "greet", "--limit", "1", "--since", "earliest", "--", "sh", "-c"],
    'echo "Hello, $(cat)"',
  );
  const { code, out, err } = await scene.run("request", "greet", "ada");
  assert.equal(code, 0, err);
  assert.deepEqual(out, ["Hello, ada"]);
  assert.match((await replier).stderr, /1 done/);
});

Deno.test("request says that nobody answered", async () => {
  await using scene = await stage();
  const { code, err } = await scene.run("request", "greet", "ada", "--timeout", "100ms");
  assert.equal(code, 1);
  assert.match(err, /no_reply/);
});

Deno.test("publish --delay says how to cancel it", async () => {
  await using scene = await stage();
  const { out } = await scene.run("publish", "jobs", "later", "--delay", "1h");
  const token = /DELETE \/scheduled\/(\S+) cancels/.exec(out[0] ?? "")?.[1];
  const cancelled = await fetch(`${scene.url}/scheduled/${token}`, { method: "DELETE" });
  assert.equal(cancelled.status, 204);
});

Deno.test("topics tells of a topic's groups", async () => {
  await using scene = await stage();
  await scene.api("publish", { topic: "jobs", data: 1 });
  await scene.api("pull", { topic: "jobs", group: "g", since: "earliest" });
  const { out } = await scene.run("topics", "jobs");
  assert.match(out.join("\n"), /group\s+g of jobs: lag 0, pending 1, dead 0, consumers 0/);
});

Deno.test("demo shows the three patterns and ends", async () => {
  await using scene = await stage();
  const { code, out, err } = await scene.run("demo", "--count", "1", "--every-ms", "20");
  assert.equal(code, 0, err);
  const text = out.join("\n");
  for (
    const part of [
      /Publish\/subscribe/,
      /Point-to-point/,
      /Request\/reply/,
      /delivery 2: done/,
      /gets 42/,
    ]
  ) {
    assert.match(text, part);
  }
});
