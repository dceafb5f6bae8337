import assert from "node:assert/strict";
import { readRecord } from "../../lib/cli/redis/data_folder.ts";
import { isAlive, signal } from "../../lib/cli/redis/process_table.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { type ServerProcess, startServer } from "../_support/server.ts";
import { deadline, until } from "../_support/until.ts";
import { runCli } from "./run_cli.ts";

/** A data folder; whatever Redis is still on it when the test ends is killed. */
async function dataFolder() {
  const path = await Deno.makeTempDir({ prefix: "runnel-start-" });
  return {
    path,
    env: { RUNNEL_DATA_DIR: path },
    /** Process id of the Redis on it. */
    get redis(): number {
      const pid = readRecord(path)?.pid;
      assert.ok(pid !== undefined, "a Redis is recorded");
      return pid;
    },
    async [Symbol.asyncDispose]() {
      const pid = readRecord(path)?.pid;
      if (pid !== undefined) signal(pid, "SIGKILL");
      await until(() => pid === undefined || !isAlive(pid), { what: "the end of Redis" });
      await Deno.remove(path, { recursive: true });
    },
  };
}

async function publish(server: ServerProcess, data: string): Promise<number> {
  const response = await fetch(`${server.url}/publish/topic1`, { method: "POST", body: data });
  await response.body?.cancel();
  return response.status;
}

async function read(server: ServerProcess): Promise<unknown[]> {
  const response = await fetch(`${server.url}/topics/topic1/messages`);
  const { messages } = await response.json();
  return messages.map(({ data }: { data: unknown }) => data);
}

async function stop(server: ServerProcess, name: Deno.Signal = "SIGTERM"): Promise<number> {
  server.signal(name);
  const { code } = await deadline(server.status, 5_000, "the server's end");
  return code;
}

Deno.test("start brings a Redis along, stops it at the end, and keeps its data", async (t) => {
  await using folder = await dataFolder();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    await t.step(`and ends with ${name}`, async () => {
      await using server = await startServer({ env: folder.env });
      const { redis } = folder;
      assert.equal(await publish(server, name), 200);
      assert.equal(await stop(server, name), 0);
      assert.equal(isAlive(redis), false);
      const { stdout, stderr } = await server.output();
      assert.match(stdout, /Runnel listens on http:\/\/127\.0\.0\.1:\d+/);
      assert.match(stderr, /Stopping/);
    });
  }
  await using server = await startServer({ env: folder.env });
  assert.deepEqual(await read(server), ["SIGTERM", "SIGINT", "SIGHUP"]);
  await stop(server);
});

Deno.test("start says goodbye to streams before it ends", async () => {
  await using folder = await dataFolder();
  await using server = await startServer({ env: folder.env });
  const response = await fetch(`${server.url}/subscribe/topic1`);
  const text = response.text();
  assert.equal(await stop(server, "SIGINT"), 0);
  assert.match(await deadline(text, 5_000, "the stream's end"), /event: \$bye/);
});

Deno.test("start survives the death of its Redis", async () => {
  await using folder = await dataFolder();
  await using server = await startServer({ env: folder.env });
  assert.equal(await publish(server, "before"), 200);
  const { redis } = folder;
  Deno.kill(redis, "SIGKILL");
  await until(() => folder.redis !== redis, { what: "a new Redis" });
  await until(async () => await publish(server, "after") === 200, { what: "a publish" });
  assert.deepEqual(await read(server), ["before", "after"]);
  await stop(server);
});

Deno.test("start adopts the Redis of a server that was killed", async () => {
  await using folder = await dataFolder();
  await using first = await startServer({ env: folder.env });
  assert.equal(await publish(first, "from the first"), 200);
  const { redis } = folder;
  await first.kill9();
  assert.equal(isAlive(redis), true);
  await using second = await startServer({ env: folder.env });
  assert.equal(folder.redis, redis);
  assert.deepEqual(await read(second), ["from the first"]);
  assert.match((await second.output()).stderr, /Adopting the Redis/);
  await stop(second);
  assert.equal(isAlive(redis), false);
});

Deno.test("start refuses a data folder that another one uses, and leaves that alone", async () => {
  await using folder = await dataFolder();
  await using server = await startServer({ env: folder.env });
  const second = await runCli(["start"], { env: { ...folder.env, PORT: `${freePort()}` } });
  assert.equal(second.code, 1);
  assert.match(second.stderr, new RegExp(`process ${server.pid} is using it`));
  assert.equal(await publish(server, "still here"), 200);
  await stop(server);
});

Deno.test("start says what to do where the port is in use, and starts no Redis", async () => {
  await using folder = await dataFolder();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const { code, stderr } = await runCli(["start"], { env: { ...folder.env, PORT: `${port}` } });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`Cannot listen on 127.0.0.1:${port}: the port is in use`));
  assert.match(stderr, /PORT=8001 deno task start/);
  assert.equal(readRecord(folder.path), undefined);
});

Deno.test("start names every problem of the configuration at once, and no secret", async () => {
  const env = { PORT: "many", REDIS_URL: "http://user:hidden@x", RUNNEL_MAX_MESSAGES: "-1" };
  const { code, stderr } = await runCli(["start"], { env });
  assert.equal(code, 1);
  for (const name of Object.keys(env)) assert.ok(stderr.includes(`${name}: `), name);
  assert.ok(!stderr.includes("hidden"));
});

Deno.test("start warns of a variable that is misnamed, and starts", async () => {
  await using folder = await dataFolder();
  await using server = await startServer({ env: { ...folder.env, RUNNEL_MAX_MESAGES: "1" } });
  assert.equal(await publish(server, "x"), 200);
  const { stderr } = await server.output();
  assert.match(stderr, /RUNNEL_MAX_MESAGES is not known .* is RUNNEL_MAX_MESSAGES meant\?/);
  assert.equal(stderr.match(/is not known/g)?.length, 1);
  await stop(server);
});

Deno.test("start off loopback lets nobody in until somebody says so", async () => {
  await using folder = await dataFolder();
  await using server = await startServer({ env: { ...folder.env, HOST: "0.0.0.0" } });
  assert.equal(await publish(server, "x"), 503);
  const { stdout, stderr } = await server.output();
  assert.match(stdout, /^Auth: {2}nobody is let in$/m);
  for (
    const name of ["RUNNEL_AUTH=keys", "RUNNEL_AUTH=jwt", "RUNNEL_AUTH=open RUNNEL_ALLOW_OPEN=1"]
  ) {
    assert.ok(stderr.includes(name), name);
  }
  await stop(server);
});

Deno.test("start says who is let in", async (t) => {
  await using redis = await startRedis();
  const secret = "s".repeat(32);
  const cases: readonly [env: Record<string, string>, said: RegExp][] = [
    [{}, /^Auth: {2}open, as RUNNEL_AUTH is unset .*everything$/m],
    [{ RUNNEL_AUTH: "open" }, /^Auth: {2}open: whoever reaches this port may do everything$/m],
    [{ RUNNEL_AUTH: "jwt", RUNNEL_JWT_SECRET: secret }, /^Auth: {2}tokens \(JWT\), for/m],
    [
      { HOST: "0.0.0.0", RUNNEL_AUTH: "jwt,keys", RUNNEL_JWT_SECRET: secret },
      /^Auth: {2}tokens \(JWT\) and API keys, for/m,
    ],
    [{ HOST: "0.0.0.0", RUNNEL_AUTH: "open" }, /^Auth: {2}nobody is let in$/m],
  ];
  for (const [env, said] of cases) {
    await t.step(JSON.stringify(env), async () => {
      await using server = await startServer({ redisUrl: redis.url, env });
      await until(async () => said.test((await server.output()).stdout), { what: `${said}` });
      const { stdout, stderr } = await server.output();
      assert.equal(stdout.includes("Bearer"), env.RUNNEL_JWT_SECRET !== undefined);
      assert.equal(/is refused/.test(stderr), /nobody/.test(said.source));
      assert.doesNotMatch(stderr, /no API key/);
      await stop(server);
    });
  }
});

Deno.test("start with RUNNEL_AUTH=keys says how to make the first key, and that works", async () => {
  await using folder = await dataFolder();
  const env = { ...folder.env, RUNNEL_AUTH: "keys" };
  await using server = await startServer({ env });
  const hint = async () => /no API key yet.*\n.*keys create/.test((await server.output()).stderr);
  await until(hint, { what: "the hint" });
  assert.equal(await publish(server, "x"), 401);
  const made = await runCli(["keys", "create", "first", "--publish", "**"], { env });
  assert.equal(made.code, 0, made.stderr);
  const publishTo = async ({ url }: ServerProcess) => {
    const { code, stderr } = await runCli(["publish", "topic1", "Hello"], {
      env: { RUNNEL_URL: url, RUNNEL_TOKEN: made.stdout },
    });
    assert.equal(code, 0, stderr);
  };
  await publishTo(server);
  await stop(server);
  await using again = await startServer({ env });
  await publishTo(again);
  assert.equal(await stop(again), 0);
  assert.doesNotMatch((await again.output()).stderr, /no API key/);
});

Deno.test("start ends in time while an upload hangs, and at once when asked twice", async (t) => {
  await using folder = await dataFolder();
  const hang = async (server: ServerProcess) => {
    const link = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    const head =
      "POST /batch HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-ndjson\r\n";
    const chunk = '{"topic":"t","data":1}\n';
    const text = `${head}transfer-encoding: chunked\r\n\r\n${
      chunk.length.toString(16)
    }\r\n${chunk}\r\n`;
    await link.write(new TextEncoder().encode(text));
    await link.read(new Uint8Array(1_000));
    return link;
  };
  await t.step("in time", async () => {
    await using server = await startServer({ env: folder.env });
    using _link = await hang(server);
    assert.equal(await stop(server), 0);
  });
  await t.step("at once", async () => {
    await using server = await startServer({ env: folder.env });
    using _link = await hang(server);
    server.signal("SIGTERM");
    // Further signals until one comes late enough to be a second one, and not an echo of the first.
    const insist = setInterval(() => server.signal("SIGTERM"), 50);
    const { code } = await deadline(server.status, 2_000, "the end at once");
    clearInterval(insist);
    assert.equal(code, 130);
  });
});
