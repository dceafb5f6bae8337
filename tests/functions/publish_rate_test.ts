import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { configureKeys } from "../_support/credentials.ts";
import { refusalsIn } from "../_support/audit_log.ts";
import { type Fixture, startRunnel } from "../_support/fixture.ts";
import { type Answer, assertProblem, publish, publishId, send } from "../_support/http.ts";
import { readNdjson } from "../_support/ndjson.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { countKeyOf, LONG_MS } from "../_support/rate_count.ts";
import { giveUser, readRedisUser } from "../_support/redis_user.ts";
import { sendReply, startResponder } from "../_support/responder.ts";
import { until } from "../_support/until.ts";

const LIMITED = { status: 429, code: "rate_limited" };
const countKey = (name: string) => `@${countKeyOf(name)}`;

/** Begins a second of an identity that does not end by itself, so that no test depends on how fast it is. */
async function holdSecond({ command }: Fixture, name = "everybody"): Promise<void> {
  await command(name, "SET", countKey(name), "0", "PX", LONG_MS);
}

/** Ends the second that was begun. */
async function endSecond({ command }: Fixture, name = "everybody"): Promise<void> {
  await command(name, "DEL", countKey(name));
}

async function countOf({ command }: Fixture, name = "everybody"): Promise<number> {
  return Number(await command(name, "GET", countKey(name)));
}

async function startHeld(rate: number, env: Record<string, string> = {}): Promise<Fixture> {
  const fixture = await startRunnel({ env: { ...env, RUNNEL_PUBLISH_RATE: `${rate}` } });
  await holdSecond(fixture);
  return fixture;
}

const messages = (count: number) =>
  Array.from({ length: count }, (_, data) => ({ topic: "t", data }));

async function storedIn(url: string, topic = "t"): Promise<unknown[]> {
  const answer = await send(`${url}/topics/${topic}/messages?limit=1000`);
  if (answer.status === 404) return [];
  return (answer.body.messages as { data: unknown }[]).map(({ data }) => data);
}

function rateHeaders({ headers }: Answer): (string | null)[] {
  return ["ratelimit-policy", "ratelimit", "retry-after"].map((name) => headers.get(name));
}

Deno.test("RUNNEL_PUBLISH_RATE: answers say what is left, and 429 when to come again", async () => {
  await using fixture = await startHeld(2);
  const { url, runnel } = fixture;
  const policy = '"publish";q=2;w=1';
  const first = await publish(url, { topic: "t", data: 1 });
  assert.equal(first.status, 200);
  assert.deepEqual(rateHeaders(first), [policy, '"publish";r=1;t=1', null]);
  const raw = await send(`${url}/publish/t`, { body: "2" });
  assert.deepEqual(rateHeaders(raw), [policy, '"publish";r=0;t=1', null]);
  const refused = await publish(url, { topic: "t", data: 3 });
  assert.equal(assertProblem(refused, LIMITED).retryable, true);
  assert.deepEqual(rateHeaders(refused), [policy, '"publish";r=0;t=1', "1"]);
  const { code, limit, identity, path } = refusalsIn(runnel.logs).at(-1) ?? {};
  assert.deepEqual([code, limit, identity, path], [
    ...["rate_limited", "publish rate", "everybody", "/publish"],
  ]);
  assert.deepEqual(await storedIn(url), [1, "2"]);
  await endSecond(fixture);
  await until(async () => (await publish(url, { topic: "t", data: 4 })).status === 200);
});

Deno.test("RUNNEL_PUBLISH_RATE: a second ends by itself", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_PUBLISH_RATE: "1" } });
  const { url } = fixture;
  const statuses = new Set<number>();
  await until(async () => {
    const some = await Promise.all([1, 2, 3].map((data) => publish(url, { topic: "t", data })));
    for (const { status } of some) statuses.add(status);
    return statuses.has(429) && (await storedIn(url)).length >= 2;
  });
  assert.deepEqual([...statuses].sort(), [200, 429]);
});

Deno.test("RUNNEL_PUBLISH_RATE: without it nothing is counted, and no answer speaks of it", async () => {
  await using fixture = await startRunnel();
  const answer = await publish(fixture.url, { topic: "t", data: 1 });
  assert.deepEqual(rateHeaders(answer), [null, null, null]);
  assert.deepEqual(await fixture.keys(":r:"), []);
});

Deno.test("RUNNEL_PUBLISH_RATE: a low rate is exact over two instances", async () => {
  await using fixture = await startHeld(7);
  await using another = await fixture.another({ env: { RUNNEL_PUBLISH_RATE: "7" } });
  const urls = [fixture.url, another.url];
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => publish(urls[i % 2] ?? "", { topic: "t", data: i })),
  );
  assert.equal(answers.filter(({ status }) => status === 200).length, 7);
  for (const answer of answers) if (answer.status !== 200) assertProblem(answer, LIMITED);
  assert.equal((await storedIn(fixture.url)).length, 7);
});

Deno.test("RUNNEL_PUBLISH_RATE: a high rate holds over two instances that lease from it", async () => {
  const rate = 500;
  await using fixture = await startHeld(rate);
  await using another = await fixture.another({ env: { RUNNEL_PUBLISH_RATE: `${rate}` } });
  const publishSome = async (url: string): Promise<number> => {
    let stored = 0;
    for (let i = 0; i < rate; i++) {
      if ((await publish(url, { topic: "t", data: i })).status === 200) stored++;
    }
    return stored;
  };
  const counts = await Promise.all([publishSome(fixture.url), publishSome(another.url)]);
  const all = counts.reduce((sum, count) => sum + count, 0);
  assert.ok(all <= rate, `${counts}`);
  // what was leased and not used when a second of the process ended
  assert.ok(all > rate / 2, `${counts}`);
  assert.equal((await storedIn(fixture.url)).length, all);
});

Deno.test("RUNNEL_PUBLISH_RATE: identities are counted apart, one at all instances", async () => {
  const { env, headers } = configureKeys(["ada", "bob"]);
  await using fixture = await startHeld(2, env);
  for (const name of ["key:ada", "key:bob"]) await holdSecond(fixture, name);
  await using another = await fixture.another({ env: { ...env, RUNNEL_PUBLISH_RATE: "2" } });
  const statusOf = async (url: string, by: "ada" | "bob") =>
    (await publish(url, { topic: "t", data: by }, { headers: headers[by] })).status;
  const { url } = fixture;
  assert.deepEqual([await statusOf(url, "ada"), await statusOf(another.url, "ada")], [200, 200]);
  assert.deepEqual([await statusOf(url, "ada"), await statusOf(another.url, "ada")], [429, 429]);
  assert.deepEqual([await statusOf(url, "bob"), await statusOf(another.url, "bob")], [200, 200]);
  assert.equal(refusalsIn(another.logs).at(-1)?.identity, "key:ada");
});

Deno.test("RUNNEL_PUBLISH_RATE: a batch that does not fit is refused as a whole, and takes nothing", async () => {
  await using fixture = await startHeld(10);
  const { url } = fixture;
  const first = await send(`${url}/batch`, { json: [...messages(6), { topic: "" }] });
  assert.equal(first.status, 207);
  assert.match(first.headers.get("ratelimit") ?? "", /;r=4;/);
  const refused = await send(`${url}/batch`, { json: messages(5) });
  assertProblem(refused, LIMITED);
  assert.equal(refused.headers.get("retry-after"), "1");
  assert.equal((await storedIn(url)).length, 6);
  assert.equal(await countOf(fixture), 6);
  assert.equal((await send(`${url}/batch`, { json: messages(4) })).status, 200);
});

Deno.test("RUNNEL_PUBLISH_RATE: a batch that could never fit is too large", async () => {
  await using fixture = await startHeld(3, { RUNNEL_MAX_BATCH: "100" });
  const answer = await send(`${fixture.url}/batch`, { json: messages(4) });
  assertProblem(answer, { status: 413, code: "payload_too_large", pointer: "#" });
});

Deno.test("RUNNEL_PUBLISH_RATE: of NDJSON the lines that fit are stored, in order", async () => {
  await using fixture = await startHeld(3);
  const { url, runnel } = fixture;
  const lines = [{ topic: "", data: 0 }, ...messages(5)];
  const response = await fetch(`${url}/batch`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  });
  assert.equal(response.headers.get("ratelimit-policy"), '"publish";q=3;w=1');
  const results = await readNdjson(response);
  const codes = results.map(({ error }) => (error as { code: string } | undefined)?.code);
  const limited = LIMITED.code;
  assert.deepEqual(codes, [
    ...["invalid_request", undefined, undefined, undefined, limited, limited, undefined],
  ]);
  assert.deepEqual(results.at(-1), { accepted: 3, rejected: 3 });
  assert.deepEqual(await storedIn(url), [0, 1, 2]);
  // one line for all that were refused together
  assert.deepEqual(refusalsIn(runnel.logs).map(({ code }) => code), [limited]);
});

Deno.test("RUNNEL_PUBLISH_RATE: requests and replies count", async () => {
  await using fixture = await startHeld(2);
  const { url } = fixture;
  await using responder = await startResponder(url, { topic: "t" });
  const json = { topic: "t", data: 1 };
  const answer = await send(`${url}/request`, { json });
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get("ratelimit") ?? "", /^"publish";r=1;t=1$/);
  await until(() => responder.answers.length === 1);
  assert.match(responder.answers[0]?.headers.get("ratelimit") ?? "", /^"publish";r=0;t=1$/);
  assertProblem(await send(`${url}/request`, { json }), LIMITED);
  const replyTo = `$inbox.${crypto.randomUUID()}`;
  assertProblem(await sendReply(url, { replyTo, data: 1 }), LIMITED);
  assertProblem(await publish(url, json), LIMITED);
});

Deno.test("RUNNEL_PUBLISH_RATE: what is refused for another reason does not count", async () => {
  await using fixture = await startHeld(1, { RUNNEL_MAX_MESSAGE_BYTES: "50" });
  const { url } = fixture;
  assert.equal((await publish(url, { topic: "", data: 1 })).status, 400);
  assert.equal((await publish(url, { topic: "t", data: "x".repeat(50) })).status, 413);
  await publishId(url, { topic: "t", data: 1 });
});

Deno.test("RUNNEL_PUBLISH_RATE: where Redis is away, publishing is answered 503, and goes on after it", async () => {
  await using fixture = await startRunnel({
    redis: { appendonly: false },
    env: { RUNNEL_PUBLISH_RATE: "1000" },
  });
  const { url, redis } = fixture;
  await publishId(url, { topic: "t", data: 1 });
  await redis.kill9();
  const json = [{ topic: "t", data: 2 }];
  for (const answer of [await publish(url, json[0]!), await send(`${url}/batch`, { json })]) {
    assert.equal(answer.status, 503);
    assert.match(`${answer.body.code}`, /^redis_/);
  }
  await redis.restart();
  await until(async () => (await publish(url, { topic: "t", data: 3 })).status === 200);
});

Deno.test("RUNNEL_PUBLISH_RATE: the README's Redis user may count", async () => {
  const user = await readRedisUser();
  await using redis = await startRedis({ appendonly: false, password: "of the administrator" });
  await giveUser(redis, user, user.serving);
  const redisUrl = `redis://${user.name}:${user.password}@127.0.0.1:${redis.port}`;
  await using runnel = await openRunnel({ redisUrl, env: { RUNNEL_PUBLISH_RATE: "100" } });
  const { headers } = await publish(runnel.url, { topic: "t", data: 1 });
  assert.match(headers.get("ratelimit") ?? "", /^"publish";r=99;/);
  assert.equal(await redis.cli("ACL", "LOG"), "");
});
