/** How the commands behave to those who look at them, and to machines. */
import assert from "node:assert/strict";
import { ageOf } from "../../lib/cli/age.ts";
import { main } from "../../lib/cli/main.ts";
import { screenLine } from "../../lib/cli/message_line.ts";
import { editDistance, nearest } from "../../lib/cli/nearest.ts";
import { wantsColours } from "../../lib/cli/terminal.ts";
import { fitted, textWidth } from "../../lib/cli/text_width.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { publishId } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { tempFile } from "../_support/temp_file.ts";
import { deadline, until } from "../_support/until.ts";
import { startCli } from "./background_cli.ts";
import { startFakeServer } from "./fake_server.ts";
import { MemoryTerminal } from "./memory_terminal.ts";
import { hasTerminals, openTerminal, plain } from "./pseudo_terminal.ts";
import { runCli } from "./run_cli.ts";

const onTerminal = { ignore: !hasTerminals };

async function stage() {
  const redis = await startRedis({ appendonly: false });
  const runnel = await openRunnel({ redisUrl: redis.url });
  const json = async (...args: string[]) => {
    const terminal = new MemoryTerminal();
    const code = await deadline(main([...args, "--json", "--url", runnel.url], terminal), 20_000);
    return { code, lines: terminal.outLines.map((line) => JSON.parse(line)), err: terminal.stderr };
  };
  return {
    url: runnel.url,
    redis,
    json,
    async [Symbol.asyncDispose]() {
      await runnel[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

Deno.test("wantsColours() goes by the terminal, then NO_COLOR, then FORCE_COLOR", () => {
  const usual = { screen: true, force: undefined, none: false, term: "xterm" };
  assert.equal(wantsColours(usual), true);
  assert.equal(wantsColours({ ...usual, screen: false }), false);
  assert.equal(wantsColours({ ...usual, none: true }), false);
  assert.equal(wantsColours({ ...usual, term: "dumb" }), false);
  assert.equal(wantsColours({ ...usual, force: "" }), true);
  assert.equal(wantsColours({ ...usual, force: "0" }), false);
  assert.equal(wantsColours({ screen: false, force: "1", none: true, term: "dumb" }), true);
});

Deno.test("commands colour what they say as the environment asks", onTerminal, async () => {
  await using scene = await stage();
  await publishId(scene.url, { topic: "t", data: 1 });
  const env = { RUNNEL_URL: scene.url };
  const piped = async (more: Record<string, string>) =>
    (await runCli(["topics"], { env: { ...env, ...more } })).stdout.includes("\x1b[");
  assert.equal(await piped({}), false);
  assert.equal(await piped({ FORCE_COLOR: "1" }), true);
  const shown = async (more: Record<string, string>) => {
    await using screen = openTerminal(["topics"], { ...env, ...more });
    assert.equal(await deadline(screen.code, 20_000), 0);
    await screen.shows(/1 message so far/);
    return screen.text.includes("\x1b[");
  };
  assert.equal(await shown({}), true);
  assert.equal(await shown({ NO_COLOR: "1" }), false);
  assert.equal(await shown({ TERM: "dumb" }), false);
});

Deno.test(
  "subscribe shows on a terminal how long ago each message came, and obeys none of them",
  onTerminal,
  async () => {
    await using scene = await stage();
    const data = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202e";
    await publishId(scene.url, { topic: "t", data, type: "note" });
    await publishId(scene.url, { topic: "t", data: "x".repeat(5_000) });
    const rest = ["t", "--since", "earliest", "--no-wait"];
    for (const options of [[], ["--json"], ["--data"]]) {
      await using screen = openTerminal(["subscribe", ...rest, ...options], {
        RUNNEL_URL: scene.url,
        NO_COLOR: "1",
      });
      assert.equal(await deadline(screen.code, 20_000), 0);
      await screen.shows(/xxx/);
      // deno-lint-ignore no-control-regex -- that is what must not be there
      assert.doesNotMatch(screen.text, /[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\u202e]/, options[0]);
      assert.ok(screen.text.includes("\\u001b[2J"), options[0]);
      if (options.length > 0) continue;
      assert.match(plain(screen.text), /^ +(now|\ds ago) {2}t {2}note {2}\\u001b\[2J/m);
      assert.match(screen.text, /x… 5\.0 kB in all/);
    }
  },
);

Deno.test("subscribe says the time, and all of a message, where nobody looks", async () => {
  await using scene = await stage();
  await publishId(scene.url, { topic: "t", data: "x".repeat(5_000) });
  const terminal = new MemoryTerminal();
  const args = ["subscribe", "t", "--since", "earliest", "--no-wait", "--url", scene.url];
  assert.equal(await main(args, terminal), 0);
  assert.match(terminal.stdout, /^\d\d:\d\d:\d\d\.\d{3} {2}t {2}\d+-\d+ {2}x{5000}$/);
});

Deno.test("subscribe goes by the server's clock", async () => {
  const time = new Date(Date.now() - 3_600_000 - 5_000).toISOString();
  const date = new Date(Date.now() - 3_600_000).toUTCString();
  const event = `id: 1-1\ndata: ${JSON.stringify({ id: "1-1", topic: "t", time, data: 1 })}\n\n`;
  const end = 'event: $bye\ndata: {"reason":"limit"}\n\n';
  await using server = startFakeServer(() =>
    new Response(event + end, { headers: { "content-type": "text/event-stream", date } })
  );
  const terminal = new MemoryTerminal(true, true);
  assert.equal(await main(["subscribe", "t", "--limit", "1", "--url", server.url], terminal), 0);
  assert.match(terminal.stdout, /^ [45678]s ago {2}t {2}1 {2}1-1$/);
});

Deno.test("screenLine() shows what is not stored, and what comes from a clock that is ahead", () => {
  const terminal = new MemoryTerminal();
  const message = { id: null, topic: "t", time: "2026-01-02T03:04:05.678Z", dataBase64: "AAE=" };
  const now = Date.parse(message.time);
  assert.equal(screenLine(message, terminal, now), "    now  t  base64 AAE=  not stored");
  assert.match(screenLine(message, terminal, now - 59 * 60_000), /^ in 59m /);
});

Deno.test("ageOf() counts in the largest unit", () => {
  const ages = [0, 999, 1_000, 59_999, 60_000, 3_600_000, 90_000_000, -5_000];
  const texts = ["now", "now", "1s ago", "59s ago", "1m ago", "1h ago", "1d ago", "in 5s"];
  assert.deepEqual(ages.map(ageOf), texts);
});

Deno.test("nearest() finds what was meant, and nothing where nothing is near", () => {
  const names = ["publish", "subscribe", "top", "topics", "ok"];
  const meant = ["pubilsh", "PUBLISH", "subs", "tpo", "topic", "kubernetes", "x", ""];
  const found = [
    "publish",
    "publish",
    "subscribe",
    "top",
    "topics",
    undefined,
    undefined,
    undefined,
  ];
  assert.deepEqual(meant.map((name) => nearest(name, names)), found);
  assert.equal(editDistance("ab", "ba"), 1);
  assert.equal(editDistance("", "abc"), 3);
});

Deno.test("fitted() counts columns, of which some characters take two and some none", () => {
  assert.deepEqual(["abc", "日本", "👋", "e\u0301", ""].map(textWidth), [3, 4, 2, 1, 0]);
  assert.equal(fitted("abc", 5), "abc  ");
  assert.equal(fitted("abcdef", 4), "abc…");
  assert.equal(fitted("日本語", 4), "日… ");
  assert.equal(fitted("abc", 0), "");
});

Deno.test("every command that a machine may use answers with JSON", async () => {
  await using scene = await stage();
  const { json } = scene;
  const one = async (...args: string[]) => {
    const { code, lines, err } = await json(...args);
    assert.deepEqual([code, lines.length], [0, 1], `${args[0]}: ${err}`);
    return lines[0];
  };
  assert.match((await one("publish", "jobs", "1")).id, /-/);
  await using file = await tempFile("2\n{broken\n3\n");
  const batch = await json("batch", "jobs", file.path);
  assert.equal(batch.code, 1);
  const [refused, { ms, ...totals }] = batch.lines;
  assert.deepEqual([refused.line, typeof refused.error.detail, typeof ms], [2, "string", "number"]);
  assert.deepEqual(totals, { accepted: 2, rejected: 1, bytes: 12 });
  const all = ["--since", "earliest", "--no-wait"];
  assert.deepEqual((await json("subscribe", "jobs", ...all)).lines.map(({ data }) => data), [
    1,
    2,
    3,
  ]);
  assert.equal((await one("topics")).topic, "jobs");
  assert.equal((await one("topics", "jobs")).messages, 3);
  const work = await json("work", "jobs", "--group", "g", ...all);
  assert.deepEqual(work.lines.map(({ data, done }) => data ?? done), [1, 2, 3, 3]);
  const dead = await json("dead", "list", "jobs");
  assert.deepEqual([dead.code, dead.lines], [0, []]);
  const [answered, asked] = await Promise.all([
    runCli(["reply", "q", "--since", "earliest", "--limit", "1", "--json", "--", "cat"], {
      env: { RUNNEL_URL: scene.url },
    }),
    one("request", "q", '"ping"'),
  ]);
  assert.equal(asked.data, "ping");
  const [outcome, sum] = answered.stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual([outcome.ok, outcome.output, sum], [true, "ping", { done: 1, givenBack: 0 }]);
});

Deno.test("keys answers with JSON", async () => {
  await using redis = await startRedis();
  const keys = async (...args: string[]) => {
    const env = { REDIS_URL: redis.url };
    const { code, stdout, stderr } = await runCli(["keys", ...args, "--json"], { env });
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const made = await keys("create", "ci", "--publish", "a.*");
  assert.equal(made.name, "ci");
  assert.ok(made.key.startsWith(`rnk_${made.id}_`));
  assert.notEqual((await keys("rotate", "ci")).key, made.key);
  assert.equal((await keys("list")).name, "ci");
  assert.equal((await keys("revoke", "ci")).id, made.id);
  const printed = await keys("create", "x", "--publish", "a", "--print");
  assert.deepEqual([printed.keys.length, printed.keys[0].id], [1, printed.id]);
});

Deno.test("exit codes are those of the table: 0, 1, 2, and a signal for Ctrl-C", async () => {
  await using scene = await stage();
  const env = { RUNNEL_URL: scene.url };
  assert.equal((await runCli(["publish", "t", "1"], { env })).code, 0);
  assert.equal((await runCli(["topics", "none"], { env })).code, 1);
  assert.equal((await runCli(["topics", "--sort"], { env })).code, 2);
  const nowhere = { RUNNEL_URL: `http://127.0.0.1:${freePort()}` };
  const { code, stderr } = await runCli(["top", "--once"], { env: nowhere });
  assert.equal(code, 1);
  assert.match(stderr, /nothing listens there[^]*deno task start[^]*RUNNEL_URL/);
  await using cli = await startCli(["subscribe", "t", "--since", "earliest"], env);
  await deadline(until(async () => (await cli.stdout()) !== ""), 20_000);
  cli.signal("SIGINT");
  assert.equal(await deadline(cli.code, 10_000), 130);
});
