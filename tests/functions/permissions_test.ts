/** Each function works under the flags of the task serve, and under no fewer. */
import assert from "node:assert/strict";
import { makeCertificates } from "../../lib/cli/topology/certificates.ts";
import { spawnGuarded } from "../../lib/cli/topology/guarded_process.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { useOf, USES } from "../_support/function_uses.ts";
import { assertProblem, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import {
  INHERITED,
  type ServerOptions,
  type ServerProcess,
  startServer,
} from "../_support/server.ts";
import { taskFlags } from "../_support/task_flags.ts";
import { tempFile } from "../_support/temp_file.ts";
import { deadline, until } from "../_support/until.ts";

const OPEN = { RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" };
const SERVE = taskFlags("serve");
const ALLOW_ENV = "--allow-env=";
const LISTED = (SERVE.find((flag) => flag.startsWith(ALLOW_ENV)) ?? "").slice(ALLOW_ENV.length)
  .split(",");
const FUNCTIONS = [...Deno.readDirSync("functions")]
  .map(({ name }) => name.replace(/\.ts$/, ""))
  .sort();

Deno.test("each function does its work under the flags of the task serve, against a real Redis", async () => {
  assert.deepEqual(Object.keys(USES).sort(), FUNCTIONS, "each has a use in this test");
  await using redis = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  const use = async (name: string) => {
    await using server = await serve({ redisUrl: redis.url, file: `functions/${name}.ts` });
    await deadline(USES[name]!(useOf(name, server, runnel)), 30_000, `the use of ${name}`);
  };
  const left = FUNCTIONS.values();
  const takeTurns = async () => {
    for (const name of left) await use(name);
  };
  await Promise.all([takeTurns(), takeTurns(), takeTurns()]);
});

Deno.test("a function asks for the network and for variables, and for nothing that it is not given", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await using audit = await tempFile();
  const env = { ...OPEN, DENO_AUDIT_PERMISSIONS: audit.path };
  await using server = await serve({ redisUrl: redis.url, denoArgs: ["-A"], env });
  await USES.main!(useOf("main", server, runnel));
  server.signal("SIGTERM");
  await deadline(server.status, 10_000, "the end of the function");
  const asked = (await Deno.readTextFile(audit.path)).trim().split("\n")
    .map((line): { permission: string; value: string | null } => JSON.parse(line));
  const of = (kind: string) =>
    new Set(asked.filter(({ permission }) => permission === kind).map(({ value }) => value));
  assert.deepEqual(new Set(asked.map(({ permission }) => permission)), new Set(["env", "net"]));
  const port = (url: string) => `127.0.0.1:${new URL(url).port}`;
  assert.deepEqual(of("net"), new Set([port(server.url), port(redis.url)]));
  assert.deepEqual(LISTED.filter((name) => !of("env").has(name)), [], "are not read");
});

Deno.test("a function has no permission to spare", async (t) => {
  await using redis = await startRedis({ appendonly: false });
  const publish = (server: ServerProcess) =>
    send(`${server.url}/publish/t`, { method: "POST", body: "x" });
  const without = (flag: RegExp) => SERVE.filter((one) => !flag.test(one));
  const unlisted = (name: string) => [
    ...without(/^--allow-env=/),
    `--allow-env=${LISTED.filter((one) => one !== name).join(",")}`,
  ];
  await t.step("without --allow-net it does not reach Redis, and its log says why", async () => {
    await using server = await serve({ redisUrl: redis.url, denoArgs: without(/^--allow-net/) });
    assertProblem(await publish(server), { status: 503, code: "redis_unavailable" });
    const { stderr } = await server.output();
    assert.match(stderr, /Requires net access[^]*--allow-net/);
  });
  await t.step("without --allow-env or REDIS_URL in it, it has no Redis", async () => {
    for (const denoArgs of [without(/^--allow-env/), unlisted("REDIS_URL")]) {
      await using server = await serve({ redisUrl: redis.url, denoArgs });
      assertProblem(await publish(server), { status: 503, code: "not_configured" });
    }
  });
  await t.step("without RUNNEL_AUTH in it, nobody is let in", async () => {
    await using server = await serve({ redisUrl: redis.url, denoArgs: unlisted("RUNNEL_AUTH") });
    assertProblem(await publish(server), { status: 503, code: "auth_not_configured" });
  });
  await t.step(
    "without --ignore-env it does not start, as a package lists the environment",
    async () => {
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "serve",
          ...without(/^--ignore-env/),
          "--port",
          `${freePort()}`,
          "functions/main.ts",
        ],
        stdin: "null",
      }).output();
      assert.notEqual(code, 0);
      assert.match(new TextDecoder().decode(stderr), /NotCapable: Requires env access/);
    },
  );
});

Deno.test("a function may be kept to the host and port of its Redis", async () => {
  await using redis = await startRedis({ appendonly: false });
  const narrow = (host: string) =>
    SERVE.map((flag) => flag === "--allow-net" ? `--allow-net=${host}` : flag);
  const redisUrl = redis.url.replace("127.0.0.1", "localhost");
  await using server = await serve({ redisUrl, denoArgs: narrow(`localhost:${redis.port}`) });
  assert.equal((await send(`${server.url}/health/ready`)).status, 200);
  await using wrong = await serve({ redisUrl, denoArgs: narrow(`localhost:${freePort()}`) });
  assert.equal((await send(`${wrong.url}/health/ready`)).status, 503);
});

Deno.test("certificates in files need --allow-read of just these, and as text nothing", async (t) => {
  await using certificates = await makeCertificates();
  await using redis = await startRedis({
    appendonly: false,
    tls: { certificates, clientAuth: true },
  });
  const { ca, client } = certificates;
  const files = {
    REDIS_TLS_CA: ca.certPath,
    REDIS_TLS_CERT: client.certPath,
    REDIS_TLS_KEY: client.keyPath,
  };
  const texts = await Promise.all(
    Object.entries(files).map(async ([name, path]) => [name, await Deno.readTextFile(path)]),
  );
  const ready = async (env: Record<string, string>, denoArgs: readonly string[]) => {
    await using server = await serve({ redisUrl: redis.url, denoArgs, env: { ...OPEN, ...env } });
    const { status } = await send(`${server.url}/health/ready`);
    return { status, stderr: (await server.output()).stderr };
  };
  await t.step("files that it may read", async () => {
    const read = `--allow-read=${Object.values(files).join(",")}`;
    assert.equal((await ready(files, [...SERVE, read])).status, 200);
  });
  await t.step("files that it may not read are named in the log", async () => {
    const { status, stderr } = await ready(files, SERVE);
    assert.equal(status, 503);
    for (const name of Object.keys(files)) {
      assert.match(stderr, new RegExp(`"${name}","detail":"Cannot read the file[^"]*NotCapable`));
    }
  });
  await t.step("texts", async () => {
    assert.equal((await ready(Object.fromEntries(texts), SERVE)).status, 200);
  });
});

Deno.test("a unix socket needs --allow-read and --allow-write of just its path", async () => {
  await using redis = await startRedis({ appendonly: false, socket: true });
  const rights = [`--allow-read=${redis.socket}`, `--allow-write=${redis.socket}`];
  await using server = await serve({ redisUrl: redis.url, denoArgs: [...SERVE, ...rights] });
  assert.equal((await send(`${server.url}/health/ready`)).status, 200);
  await using less = await serve({ redisUrl: redis.url });
  assertProblem(await send(`${less.url}/health/ready`), { status: 503, code: "redis_unavailable" });
});

Deno.test("deno task serve:publish serves, and ends with its task", async () => {
  await using redis = await startRedis({ appendonly: false });
  const port = freePort();
  await using task = spawnGuarded({
    command: Deno.execPath(),
    args: ["task", "serve:publish"],
    env: { ...OPEN, REDIS_URL: redis.url, DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}` },
    unset: INHERITED,
  });
  const url = `http://127.0.0.1:${port}/publish/t`;
  try {
    const { status } = await until(() => send(url, { method: "POST", body: "x" }), {
      timeoutMs: 30_000,
      what: "the function",
    });
    assert.equal(status, 200);
  } finally {
    task.signal("SIGTERM");
  }
  assert.equal((await deadline(task.status, 10_000, "the end of the task")).code, 0);
  await assert.rejects(fetch(url), TypeError);
});

/** A function under `deno serve`, `functions/main.ts` where nothing is said, which lets everybody in. */
function serve(options: ServerOptions): Promise<ServerProcess> {
  return startServer({ file: "functions/main.ts", env: OPEN, ...options });
}
