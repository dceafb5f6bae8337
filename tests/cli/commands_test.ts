import assert from "node:assert/strict";
import { main } from "../../lib/cli/main.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import { publishId } from "../_support/http.ts";
import { deadline } from "../_support/until.ts";
import { MemoryTerminal } from "./memory_terminal.ts";
import { runCli } from "./run_cli.ts";

/** A server, and a way to run commands against it in this process. */
async function stage() {
  const redis = await startRedis();
  const runnel = await openRunnel({ redisUrl: redis.url });
  const run = async (...args: string[]) => {
    const terminal = new MemoryTerminal();
    const code = await deadline(main([...args, "--url", runnel.url], terminal), 20_000, args[0]);
    return { code, out: terminal.outLines, err: terminal.stderr };
  };
  return {
    url: runnel.url,
    redis,
    run,
    async [Symbol.asyncDispose]() {
      await runnel[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    },
  };
}

async function tempFile(text: string) {
  const path = await Deno.makeTempFile({ prefix: "runnel-batch-" });
  await Deno.writeTextFile(path, text);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path) };
}

const REST = ["--since", "earliest", "--no-wait"];

Deno.test("publish stores JSON as JSON and anything else as a string", async () => {
  await using scene = await stage();
  for (const data of ['{"a":1}', "42", "Hello, world", "grüße 👋"]) {
    const { code, out } = await scene.run("publish", "topic1", data);
    assert.equal(code, 0);
    assert.match(out[0]!, /^Stored in topic1 as \d+-\d+$/);
  }
  await scene.run("publish", "topic1", "42", "--text", "--type", "answer", "--key", "k");
  const { out } = await scene.run("subscribe", "topic1", ...REST, "--json");
  const messages = out.map((line) => JSON.parse(line));
  assert.deepEqual(messages.map(({ data }) => data), [
    { a: 1 },
    42,
    "Hello, world",
    "grüße 👋",
    "42",
  ]);
  assert.deepEqual([messages[4].type, messages[4].key], ["answer", "k"]);
});

Deno.test("publish says that a message was there already, and when nothing is stored", async () => {
  await using scene = await stage();
  const once = ["publish", "topic1", "x", "--idempotency-key", "k1"];
  await scene.run(...once);
  assert.match((await scene.run(...once)).out[0]!, /it was there already/);
  const { out } = await scene.run("publish", "topic1", "x", "--durability", "ephemeral");
  assert.match(out[0]!, /listen to topic1 now/);
});

Deno.test("publish shows the server's reason for a refusal, and exits with 1", async () => {
  await using scene = await stage();
  const { code, err } = await scene.run("publish", "a topic", "x");
  assert.equal(code, 1);
  assert.match(err, /400 invalid_topic/);
});

Deno.test("publish reads text and binary data from stdin", async () => {
  await using scene = await stage();
  const env = { RUNNEL_URL: scene.url };
  const { code, stderr } = await runCli(["publish", "topic1", "-"], { env, stdin: "from\nstdin" });
  assert.equal(code, 0, stderr);
  const { out } = await scene.run("subscribe", "topic1", ...REST, "--data");
  assert.deepEqual(out, ["from", "stdin"]);
});

Deno.test("subscribe prints topics and patterns, and ends after its limit", async () => {
  await using scene = await stage();
  for (const topic of ["a.1", "b.1", "a.2"]) await scene.run("publish", topic, `"to ${topic}"`);
  const { out } = await scene.run("subscribe", "a.*", "--since", "earliest", "--limit", "2");
  assert.equal(out.length, 2);
  assert.match(out[0]!, /a\.1 {2}\d+-\d+ {2}to a\.1$/);
  assert.match(out[1]!, /to a\.2$/);
});

Deno.test("subscribe refuses a start that the server does not know", async () => {
  await using scene = await stage();
  const { code, err } = await scene.run("subscribe", "a", "--since", "yesterday");
  assert.equal(code, 1);
  assert.match(err, /400 invalid_cursor/);
});

Deno.test("batch publishes every line in order, and reports the lines that are refused", async () => {
  await using scene = await stage();
  const lines = Array.from({ length: 2_000 }, (_, index) => `{"n":${index}}`);
  lines[1_000] = "{broken";
  await using file = await tempFile(lines.join("\n"));
  const { code, out, err } = await scene.run("batch", "topic1", file.path);
  assert.equal(code, 1);
  assert.match(out[0]!, /^1,999 stored, 1 refused/);
  assert.match(err, /^line 1001: /m);
  const read = await scene.run("subscribe", "topic1", ...REST, "--data");
  lines.splice(1_000, 1);
  assert.deepEqual(read.out, lines);
});

Deno.test("batch takes plain text, whole messages, and sends the same file twice safely", async () => {
  await using scene = await stage();
  await using text = await tempFile("one\n\n2\n");
  assert.equal((await scene.run("batch", "topic1", text.path, "--text")).code, 0);
  await using messages = await tempFile('{"data":3,"type":"x"}\n{"topic":"topic2","data":4}\n');
  const safe = ["--messages", "--idempotency-prefix", "f"];
  for (let round = 0; round < 2; round++) {
    assert.equal((await scene.run("batch", "topic1", messages.path, ...safe)).code, 0);
  }
  assert.deepEqual((await scene.run("subscribe", "topic1", ...REST, "--data")).out, [
    "one",
    "2",
    "3",
  ]);
  assert.deepEqual((await scene.run("subscribe", "topic2", ...REST, "--data")).out, ["4"]);
});

Deno.test("batch says what is wrong with the file", async () => {
  const terminal = new MemoryTerminal();
  assert.equal(await main(["batch", "t", "/nowhere/at/all"], terminal), 1);
  assert.match(terminal.stderr, /Cannot read \/nowhere\/at\/all: there is no such file/);
  assert.equal(await main(["batch", "t", "lib"], terminal), 1);
  assert.match(terminal.stderr, /Cannot read lib: it is a folder/);
});

Deno.test("topics lists topics by prefix over several pages, and describes one", async () => {
  await using scene = await stage();
  assert.match((await scene.run("topics")).err, /no topics yet/);
  const names = Array.from({ length: 120 }, (_, index) => `t${index}`);
  await using file = await tempFile(
    names.map((topic) => JSON.stringify({ topic, data: 1 })).join("\n"),
  );
  await scene.run("batch", "other", file.path, "--messages");
  const all = await scene.run("topics");
  assert.deepEqual(all.out.map((line) => line.split(" ")[0]).sort(), names.sort());
  assert.match(all.out[0]!, / 1 message so far, last \d+-\d+$/);
  assert.equal((await scene.run("topics", "--prefix", "t11")).out.length, 11);
  const one = await scene.run("topics", "t7", "--last", "3");
  assert.match(one.out.join("\n"), /^messages +1$/m);
  assert.match(one.out.at(-1)!, /t7 {2}\d+-\d+ {2}1$/);
  assert.match((await scene.run("topics", "nothing")).err, /404 not_found/);
});

Deno.test("demo shows that each subscriber gets its messages", async () => {
  await using scene = await stage();
  const { code, out } = await scene.run("demo", "--count", "3", "--every-ms", "1");
  assert.equal(code, 0);
  const of = (start: RegExp) => out.filter((line) => start.test(line)).length;
  const told = [of(/^Ann +→ demo.weather/), of(/^Ben/), of(/^Cleo +←/), of(/^Dan +←/)];
  assert.deepEqual(told, [3, 3, 3, 6]);
});

Deno.test("every client command says how to start a server where none runs", async (t) => {
  const commands = [["publish", "t", "x"], ["subscribe", "t"], ["topics"], ["demo"]];
  for (const command of commands) {
    await t.step(command[0]!, async () => {
      const terminal = new MemoryTerminal();
      const url = `http://127.0.0.1:${freePort()}`;
      assert.equal(await main([...command, "--url", url], terminal), 1);
      assert.match(terminal.stderr, /nothing listens there[^]*deno task start/);
    });
  }
});

Deno.test("doctor is content with a good Redis and a server that is ready", async () => {
  await using scene = await stage();
  const env = { REDIS_URL: scene.redis.url, RUNNEL_URL: scene.url };
  const { code, stdout } = await runCli(["doctor"], { env });
  assert.equal(code, 0, stdout);
  assert.doesNotMatch(stdout, /is not known/);
  assert.match(stdout, /ok +A message gets through Redis/);
  assert.match(stdout, /ok +The server at .* is ready/);
});

Deno.test("doctor says which Redis a server cannot use", async () => {
  await using topology = await startTopology("shards", { shards: 2 });
  await using runnel = await openRunnel({ redisUrl: topology.env.REDIS_URL });
  await publishId(runnel.url, { topic: "t", data: 1 });
  await topology.servers[1]?.server.kill9();
  const env = { REDIS_URL: topology.env.REDIS_URL, RUNNEL_URL: runnel.url };
  const { code, stdout } = await runCli(["doctor"], { env });
  assert.equal(code, 1);
  assert.match(stdout, /warn +The server at .* cannot use Redis [12] of 2 \(redis_unavailable\)/);
  assert.doesNotMatch(stdout, /is ready/);
});

Deno.test("doctor finds what is wrong, says what to do, and exits with 1", async () => {
  await using redis = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
  const env = { REDIS_URL: redis.url, RUNNEL_URL: `http://127.0.0.1:${freePort()}` };
  const { code, stdout } = await runCli(["doctor"], { env });
  assert.equal(code, 1);
  assert.match(stdout, /FAIL +maxmemory-policy is allkeys-lru[^]*→ redis-cli CONFIG SET/);
  assert.match(stdout, /note +No server answers/);
});

Deno.test("doctor names every problem of the configuration, and no secret", async () => {
  const env = { REDIS_URL: "redis://:hidden@h:x", REDIS_CONNECTIONS: "0", RUNNEL_ATH: "hidden" };
  const { code, stdout, stderr } = await runCli(["doctor", "--json"], { env });
  assert.equal(code, 1);
  const texts = stdout.trim().split("\n").map((line) => JSON.parse(line).text).join("\n");
  for (const name of ["REDIS_URL", "REDIS_CONNECTIONS"]) assert.ok(texts.includes(`${name}: `));
  assert.match(texts, /RUNNEL_ATH is not known .* is RUNNEL_AUTH meant\?/);
  assert.ok(!(stdout + stderr).includes("hidden"));
});

Deno.test("doctor tries out the managed Redis where none runs", async () => {
  const dir = await Deno.makeTempDir({ prefix: "runnel-doctor-test-" });
  const env = { RUNNEL_DATA_DIR: dir, RUNNEL_URL: `http://127.0.0.1:${freePort()}` };
  const { code, stdout } = await runCli(["doctor"], { env });
  assert.equal(code, 0, stdout);
  assert.match(stdout, /one was started to try it out[^]*appendfsync is always/);
  assert.deepEqual([...Deno.readDirSync(dir)], []);
  await Deno.remove(dir);
});

Deno.test("test runs deno test with what it is given, and passes the exit code on", async () => {
  const good = await runCli(["test", "tests/cli/progress_test.ts", "--filter", "size()"]);
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /ok \| 1 passed/);
  const none = await runCli(["test", "tests/cli/no_such_test.ts"]);
  assert.notEqual(none.code, 0);
});
