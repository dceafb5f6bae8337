/** The commands that talk to a server, where it asks who they are. */
import assert from "node:assert/strict";
import { type ApiKey, newKey } from "../../lib/codec/api_key.ts";
import type { Grants } from "../../lib/codec/grants.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { until } from "../_support/until.ts";
import { startCli } from "./background_cli.ts";
import { startFakeServer } from "./fake_server.ts";
import { type CliResult, runCli } from "./run_cli.ts";

const ALL: Grants = {
  publish: ["**"],
  subscribe: ["**", "$dead.**"],
  consume: ["**"],
  manage: true,
};

/** A server that takes two keys: one that may do everything, and one that may publish to `topic1`. */
async function stage() {
  const [all, few] = [newKey(), newKey()];
  const keys: ApiKey[] = [
    { id: all.id, hash: all.hash, name: "all", ...ALL },
    { id: few.id, hash: few.hash, name: "few", publish: ["topic1"] },
  ];
  await using stack = new AsyncDisposableStack();
  const redis = stack.use(await startRedis({ appendonly: false }));
  const env = { RUNNEL_AUTH: "keys", RUNNEL_KEYS: JSON.stringify(keys) };
  const { url } = stack.use(await openRunnel({ redisUrl: redis.url, env }));
  const environment = (token: string | undefined) => ({
    RUNNEL_URL: url,
    ...(token === undefined ? {} : { RUNNEL_TOKEN: token }),
  });
  const moved = stack.move();
  return {
    all: all.text,
    few: few.text,
    environment,
    run: (token: string | undefined, args: readonly string[], stdin = ""): Promise<CliResult> =>
      runCli(args, { env: environment(token), stdin }),
    [Symbol.asyncDispose]: () => moved.disposeAsync(),
  };
}

const CALLS: readonly (readonly [args: readonly string[], stdin?: string])[] = [
  [["publish", "topic1", "Hello"]],
  [["batch", "topic1", "-"], '"a"\n"b"\n'],
  [["topics"]],
  [["topics", "topic1"]],
  [["subscribe", "topic1", "--since", "earliest", "--no-wait"]],
  [["work", "topic1", "--group", "g", "--since", "earliest", "--no-wait", "--", "true"]],
  [["dead", "list", "topic1"]],
  [["demo", "--count", "1", "--every-ms", "0"]],
];

Deno.test("commands show the server RUNNEL_TOKEN", async (t) => {
  await using scene = await stage();
  for (const [args, stdin] of CALLS) {
    await t.step(args.join(" "), async () => {
      const { code, stderr } = await scene.run(scene.all, args, stdin);
      assert.equal(code, 0, stderr);
    });
  }
  await t.step("request and reply", async () => {
    const env = scene.environment(scene.all);
    await using reply = await startCli(["reply", "greet", "--", "cat"], env);
    const asked = async () =>
      (await scene.run(scene.all, ["request", "greet", "ada", "--timeout", "5s"])).stdout;
    await until(async () => /ada/.test(await asked()), { what: "a reply", timeoutMs: 30_000 });
    reply.signal("SIGTERM");
    assert.equal(await reply.code, 0);
  });
});

Deno.test("commands say what to set where they have nothing to show", async (t) => {
  await using scene = await stage();
  for (const [args, stdin] of CALLS) {
    await t.step(args.join(" "), async () => {
      const { code, stderr } = await scene.run(undefined, args, stdin);
      assert.equal(code, 1);
      assert.match(stderr, /The server refused \(401 unauthenticated\)/);
      assert.match(stderr, /Set RUNNEL_TOKEN to a token, or to an API key: deno task keys create/);
    });
  }
});

Deno.test("commands say which right is missing, and what is wrong with a key", async () => {
  await using scene = await stage();
  assert.equal((await scene.run(scene.few, ["publish", "topic1", "Hello"])).code, 0);
  const refused = await scene.run(scene.few, ["subscribe", "topic1", "--no-wait"]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /\(403 forbidden\): .* no right to subscribe/);
  assert.match(refused.stderr, /Set RUNNEL_TOKEN to one that may: deno task keys list/);
  const unknown = newKey().text;
  const { code, stderr } = await scene.run(unknown, ["publish", "topic1", "Hello"]);
  assert.equal(code, 1);
  assert.match(stderr, /\(401 invalid_token\)/);
  assert.match(stderr, /Look at RUNNEL_TOKEN/);
  assert.ok(!stderr.includes(unknown));
});

Deno.test("commands send no Authorization without RUNNEL_TOKEN, and refuse one that is no word", async () => {
  const seen: (string | null)[] = [];
  await using server = startFakeServer((request) => {
    seen.push(request.headers.get("authorization"));
    return Response.json({ topics: [] });
  });
  const topics = (token: string) =>
    runCli(["topics"], { env: { RUNNEL_URL: server.url, RUNNEL_TOKEN: token } });
  for (const token of ["", "a.b-c_d", "  word \n"]) assert.equal((await topics(token)).code, 0);
  assert.deepEqual(seen, [null, "Bearer a.b-c_d", "Bearer word"]);
  const wrong = await topics("two words");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /Cannot use RUNNEL_TOKEN/);
  assert.doesNotMatch(wrong.stderr, /two words/);
});
