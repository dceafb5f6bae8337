import assert from "node:assert/strict";
import { assertProblem, send } from "../_support/http.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { openStream } from "../_support/sse.ts";
import { deadline } from "../_support/until.ts";

const OPEN = { RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" };

const REPLY = { replyTo: `$inbox.${crypto.randomUUID()}`, data: 1 };

/** One request that each function answers, and where it stands behind a host's prefix. */
const FUNCTIONS: Record<string, { path: string; json?: unknown; status?: number }> = {
  publish: { path: "/publish", json: { topic: "t", data: 1 } },
  batch: { path: "/batch", json: [{ topic: "t", data: 1 }] },
  subscribe: { path: "/subscribe?topic=t&wait=0" },
  request: { path: "/request", json: { topic: "t", data: 1, timeoutMs: 50 }, status: 504 },
  reply: { path: "/reply", json: REPLY, status: 410 },
  topics: { path: "/topics" },
  main: { path: "/topics" },
};

for (const [name, request] of Object.entries(FUNCTIONS)) {
  Deno.test(`functions/${name}.ts works alone with deno serve, at any prefix`, async () => {
    await using redis = await startRedis({ appendonly: false });
    const file = `functions/${name}.ts`;
    await using server = await startServer({ redisUrl: redis.url, file, env: OPEN });
    const { path, json, status: expected = 200 } = request;
    for (const prefix of ["", "/functions/v1"]) {
      const { status, body } = await send(`${server.url}${prefix}${path}`, { json });
      assert.equal(status, expected, JSON.stringify(body));
    }
    const missing = await send(`${server.url}/nope`);
    assertProblem(missing, { status: 404, code: "not_found" });
  });
}

Deno.test("a function under deno serve ends its streams and exits when it is asked to stop", async (t) => {
  await using redis = await startRedis({ appendonly: false });
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    await t.step(signal, async () => {
      const file = "functions/main.ts";
      await using server = await startServer({ redisUrl: redis.url, file, env: OPEN });
      await using stream = await openStream(`${server.url}/subscribe/t`);
      await stream.until(({ event }) => event === "$ready");
      server.signal(signal);
      const events = await stream.until(({ event }) => event === "$bye");
      assert.equal(JSON.parse(events.at(-1)?.data ?? "{}").reason, "shutdown");
      const { code } = await deadline(server.status, 5_000, "the process to end");
      assert.equal(code, 0);
    });
  }
});

Deno.test("functions/publish.ts alone exits when it is asked to stop", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using server = await startServer({
    redisUrl: redis.url,
    file: "functions/publish.ts",
    env: OPEN,
  });
  assert.equal(
    (await send(`${server.url}/publish`, { json: { topic: "t", data: 1 } })).status,
    200,
  );
  server.signal("SIGTERM");
  assert.equal((await deadline(server.status, 5_000, "the process to end")).code, 0);
});

Deno.test("functions/health.ts works alone with deno serve and needs no auth", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using server = await startServer({ redisUrl: redis.url, file: "functions/health.ts" });
  for (const path of ["/health/live", "/health/ready", "/functions/v1/health/ready"]) {
    assert.equal((await send(`${server.url}${path}`)).status, 200);
  }
});

Deno.test("a function that nobody configured refuses with 503 and says why in its log", async () => {
  await using redis = await startRedis({ appendonly: false });
  const file = "functions/publish.ts";
  await using closed = await startServer({ redisUrl: redis.url, file });
  const json = { topic: "t", data: 1 };
  assertProblem(await send(`${closed.url}/publish`, { json }), {
    status: 503,
    code: "auth_not_configured",
  });
  const env = { ...OPEN, REDIS_CONNECTIONS: "many", RUNNEL_MAX_TOPICS: "-1" };
  const redisUrl = "redis://user:s3cr3t@[";
  await using wrong = await startServer({ redisUrl, file, env });
  const answer = await send(`${wrong.url}/publish`, { json });
  const problem = assertProblem(answer, { status: 503, code: "not_configured" });
  assert.doesNotMatch(JSON.stringify(problem), /REDIS_|RUNNEL_|s3cr3t/);
  const { stderr } = await wrong.output();
  for (const name of ["REDIS_URL", "REDIS_CONNECTIONS", "RUNNEL_MAX_TOPICS"]) {
    assert.ok(stderr.includes(name), `${name} is not in the log: ${stderr}`);
  }
  assert.ok(!stderr.includes("s3cr3t"), "the log holds the password");
});
