import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { type Answer, assertProblem, publish, publishId, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { openStream } from "../_support/sse.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { deadline, until } from "../_support/until.ts";

/** Two seconds are promised; the rest is for a machine that has other things to do. */
const PROMPTLY_MS = 2_500;

/** What is answered while Redis is not well; `publish` where its code differs from the others'. */
interface Expected {
  readonly code: string;
  readonly publish?: readonly string[];
  /** Whether reading goes on, as on a Redis that only refuses to write. @default false */
  readonly readable?: boolean;
}

/** Every kind of request is refused with the code, at once, while the process itself counts as alive. */
async function assertRed(url: string, expected: Expected): Promise<void> {
  const { code, publish: publishCodes = [code], readable = false } = expected;
  const promptly = (name: string, request: Promise<Answer>) =>
    deadline(request, PROMPTLY_MS, `an answer to ${name}`);
  const [published, batch, ready, live, list, subscribed] = await Promise.all([
    promptly("publish", publish(url, { topic: "t", data: "refused" })),
    promptly("batch", send(`${url}/batch`, { json: [{ topic: "t", data: "refused" }] })),
    promptly("ready", send(`${url}/health/ready`)),
    promptly("live", send(`${url}/health/live`)),
    promptly("topics", send(`${url}/topics`)),
    promptly("subscribe", send(`${url}/subscribe?topic=t&wait=0`)),
  ]);
  for (const answer of [published, batch]) {
    assert.ok(publishCodes.includes(String(answer.body.code)), JSON.stringify(answer.body));
    assertProblem(answer, { status: 503, code: String(answer.body.code) });
  }
  assertProblem(ready, { status: 503, code });
  assert.deepEqual([live.status, live.body.status], [200, "ok"]);
  if (readable) return;
  for (const answer of [list, subscribed]) assertProblem(answer, { status: 503, code });
}

/** Without anybody's help it takes messages again. */
async function assertRecovers(url: string): Promise<void> {
  await until(async () => (await send(`${url}/health/ready`)).status === 200, {
    what: "a green ready",
  });
  await until(async () => (await publish(url, { topic: "t", data: "recovered" })).status === 200, {
    what: "a publish that is stored",
  });
}

Deno.test("a Redis that is down at start is answered 503 redis_unavailable until it is up", async () => {
  await using redis = await startRedis();
  await redis.kill9();
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await assertRed(runnel.url, { code: "redis_unavailable" });
  await redis.restart();
  await assertRecovers(runnel.url);
});

Deno.test("a Redis that goes away is answered 503, and open streams go on when it is back", async () => {
  await using redis = await startRedis();
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await using stream = await openStream(`${runnel.url}/subscribe?topic=a&topic=b.*`, {
    timeoutMs: 20_000,
  });
  await stream.until("$ready");
  const ids = [await publishId(runnel.url, { topic: "a", data: 0 })];
  await redis.kill9();
  await assertRed(runnel.url, { code: "redis_unavailable", publish: LOST });
  await redis.restart();
  await assertRecovers(runnel.url);
  for (const topic of ["b.1", "a", "b.2"]) {
    ids.push(await publishId(runnel.url, { topic, data: 1 }));
  }
  const messages = await stream.messages(4);
  assert.deepEqual(messages.map(({ id }) => id), ids);
  assert.ok(!stream.blocks.some(({ event }) => event === "$gap"), "nothing was lost");
});

// A command that was under way when the connection broke can have been executed.
const LOST = ["redis_unavailable", "redis_timeout", "outcome_unknown"];

Deno.test("a Redis that hangs is answered 503 redis_timeout, and a retry is stored once", async () => {
  await using redis = await startRedis();
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await publishId(runnel.url, { topic: "warm", data: 1 });
  redis.pause();
  const message = { topic: "once", data: 1, idempotencyKey: "k" };
  const hung = await deadline(publish(runnel.url, message), PROMPTLY_MS, "the answer");
  assertProblem(hung, { status: 503, code: String(hung.body.code) });
  assert.equal(hung.body.retryable, true);
  await assertRed(runnel.url, { code: "redis_timeout", publish: LOST });
  redis.resume();
  await assertRecovers(runnel.url);
  await until(async () => (await publish(runnel.url, message)).status === 200, {
    what: "the retry",
  });
  assert.equal((await readHistory(runnel.url, "once")).length, 1);
});

Deno.test("a link to Redis that swallows everything is answered 503, and streams go on after it", async () => {
  await using redis = await startRedis();
  await using proxy = startProxy(redis);
  await using runnel = await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  await using stream = await openStream(`${runnel.url}/subscribe?topic=a`, { timeoutMs: 20_000 });
  await stream.until("$ready");
  const first = await publishId(runnel.url, { topic: "a", data: 0 });
  proxy.stall();
  await assertRed(runnel.url, { code: "redis_timeout", publish: LOST });
  proxy.unstall({ forget: true });
  await assertRecovers(runnel.url);
  const second = await publishId(runnel.url, { topic: "a", data: 1 });
  const messages = await stream.messages(2);
  assert.deepEqual(messages.map(({ id }) => id), [first, second]);
});

Deno.test("a Redis that refuses the password is answered 503 redis_auth, and no secret is told", async () => {
  await using redis = await startRedis({ password: "right" });
  const wrong = `redis://:s3cr3t-wr0ng@127.0.0.1:${redis.port}`;
  for (const redisUrl of [wrong, `redis://127.0.0.1:${redis.port}`]) {
    await using runnel = await openRunnel({ redisUrl });
    await assertRed(runnel.url, { code: "redis_auth" });
    assert.ok(!runnel.logs.join("\n").includes("s3cr3t-wr0ng"), "the log holds the password");
  }
  await using runnel = await openRunnel({ redisUrl: wrong });
  await assertRed(runnel.url, { code: "redis_auth" });
  await redis.cli("CONFIG", "SET", "requirepass", "s3cr3t-wr0ng");
  await assertRecovers(runnel.url);
});

Deno.test("a password that Redis changes later is noticed when connections are made anew", async () => {
  await using redis = await startRedis({ password: "first" });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await publishId(runnel.url, { topic: "t", data: 1 });
  await redis.cli("CONFIG", "SET", "requirepass", "second");
  await redis.restart({ args: ["--requirepass", "second"] });
  await until(
    async () => (await publish(runnel.url, { topic: "t", data: 1 })).body.code === "redis_auth",
    {
      what: "redis_auth",
    },
  );
  await assertRed(runnel.url, { code: "redis_auth" });
});

Deno.test("a Redis that forbids the user its commands is answered 503 redis_forbidden", async () => {
  await using redis = await startRedis();
  await redis.cli("ACL", "SETUSER", "meek", "on", ">pw", "~*", "&*", "+@connection", "+get");
  await using runnel = await openRunnel({
    redisUrl: `redis://meek:pw@127.0.0.1:${redis.port}`,
  });
  await assertRed(runnel.url, { code: "redis_forbidden" });
  await redis.cli("ACL", "SETUSER", "meek", "+@all");
  await assertRecovers(runnel.url);
});

Deno.test("a read-only replica is answered 503 redis_readonly until it is promoted", async () => {
  await using primary = await startRedis();
  await using redis = await startRedis();
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await publishId(runnel.url, { topic: "t", data: 1 });
  await redis.cli("REPLICAOF", "127.0.0.1", `${primary.port}`);
  await until(async () => /master_link_status:up/.test(await redis.cli("INFO", "replication")), {
    what: "the replica's link",
  });
  await assertRed(runnel.url, { code: "redis_readonly", readable: true });
  await redis.cli("REPLICAOF", "NO", "ONE");
  await assertRecovers(runnel.url);
});

Deno.test("a Redis that is out of memory is answered 503 redis_out_of_memory", async () => {
  await using fixture = await startRunnel({ redis: { appendonly: false } });
  await publishId(fixture.url, { topic: "t", data: "before" });
  await fixture.redis.cli("CONFIG", "SET", "maxmemory", "1");
  await assertRed(fixture.url, { code: "redis_out_of_memory", readable: true });
  await fixture.redis.cli("CONFIG", "SET", "maxmemory", "0");
  await assertRecovers(fixture.url);
  const stored = await readHistory(fixture.url, "t");
  assert.ok(stored.every(({ data }) => data !== "refused"), "a refused message was stored");
});

Deno.test("a Redis that is out of memory still serves its subscribers", async () => {
  await using fixture = await startRunnel({ redis: { appendonly: false } });
  const id = await publishId(fixture.url, { topic: "t", data: "before" });
  await fixture.redis.cli("CONFIG", "SET", "maxmemory", "1");
  const url = `${fixture.url}/subscribe?topic=t&since=earliest&wait=0`;
  await using stream = await openStream(url);
  assert.deepEqual((await stream.messages(1)).map((message) => message.id), [id]);
});

Deno.test("a Redis that loads its data is answered 503 redis_loading until it has them", async () => {
  const debug = ["--enable-debug-command", "yes"];
  await using redis = await startRedis({ appendonly: false, args: debug });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await publishId(runnel.url, { topic: "t", data: 1 });
  await redis.cli("DEBUG", "POPULATE", "15000", "key", "64");
  await redis.cli("SAVE");
  await redis.restart({
    loaded: false,
    // Slow enough to look at, and answering meanwhile.
    args: ["--key-load-delay", "100", "--loading-process-events-interval-bytes", "1024"],
  });
  await until(
    async () => (await send(`${runnel.url}/health/ready`)).body.code === "redis_loading",
    {
      what: "redis_loading",
    },
  );
  await assertRed(runnel.url, { code: "redis_loading" });
  await assertRecovers(runnel.url);
  assert.equal((await readHistory(runnel.url, "t"))[0]?.data, 1);
});

Deno.test("a Redis that cannot write to its disk is answered 503", async () => {
  await using redis = await startRedis({ appendonly: false, args: ["--save", "1 1"] });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await publishId(runnel.url, { topic: "t", data: 1 });
  // A folder where the file must go makes every save fail, also for root.
  const path = `${redis.dir}/dump.rdb`;
  await Deno.remove(path).catch(() => {});
  await Deno.mkdir(`${path}/in-the-way`, { recursive: true });
  await until(async () => {
    const refused = await publish(runnel.url, { topic: "t", data: "refused" });
    return refused.status === 503 && refused.body.code === "redis_readonly";
  }, { what: "the refusal after a failed save", timeoutMs: 30_000 });
  await Deno.remove(path, { recursive: true });
  await redis.cli("SAVE");
  await assertRecovers(runnel.url);
});

Deno.test("an evil answer of Redis is not passed on to the client", async () => {
  await using fixture = await startRunnel({ redis: { appendonly: false } });
  await fixture.redis.cli("CONFIG", "SET", "maxmemory", "1");
  const { body } = await publish(fixture.url, { topic: "t", data: 1 });
  assert.doesNotMatch(JSON.stringify(body), /@user_script|maxmemory'|script:|lua/i);
});
