/** Runnel as the Redis user of the README, with all its rules and with one less. */
import assert from "node:assert/strict";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { assertProblem, publish, publishId, send } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { giveUser, readRedisUser, type RedisUser, without } from "../_support/redis_user.ts";
import { reshardTo } from "../_support/reshard.ts";
import { openStream } from "../_support/sse.ts";
import { startTraffic } from "../_support/traffic.ts";
import { until } from "../_support/until.ts";
import { pull, putGroup } from "../_support/work.ts";

const user = await readRedisUser();

/** Rules whose commands are not seen below, and when they are used. */
const RARE: Readonly<Record<string, string>> = {
  "+hexists": "a consumer was idle for ten minutes",
  "+srem": "what a pattern group consumed left it while it was copied",
};

/** A Redis with the user, and without a way in for anybody else but the test. */
async function startRestricted(
  rules: readonly string[],
  as: RedisUser = user,
): Promise<RedisServer> {
  const redis = await startRedis({ appendonly: false, password: "of the administrator" });
  await giveUser(redis, as, rules);
  return redis;
}

/** The URL as the user takes it. */
function urlOf({ port }: RedisServer, db = 0): string {
  return `redis://${user.name}:${user.password}@127.0.0.1:${port}/${db}`;
}

/** What was done at a Redis since it started, as rules would allow it. */
async function doneAt(redis: RedisServer): Promise<string[]> {
  const text = await redis.cli("INFO", "commandstats");
  return [...text.matchAll(/^cmdstat_([^:]+):calls=[1-9]/gm)].map(([, name]) => `+${name}`);
}

async function refusedAt(redis: RedisServer): Promise<string> {
  return await redis.cli("ACL", "LOG");
}

Deno.test("every rule of the README's user is used, and no other is missed, by clients, streams and a reshard", async () => {
  const rules = [...user.serving, ...user.reshard];
  await using a = await startRestricted(rules);
  await using b = await startRestricted(rules);
  await using runnel = await openRunnel({ redisUrl: urlOf(a) });
  const { url } = runnel;
  await using traffic = startTraffic({ url, random: randomSource(7), clients: 4 });
  {
    await using named = await openStream(`${url}/subscribe?topic=alone`);
    await using pattern = await openStream(`${url}/subscribe?topic=orders.*&since=earliest`);
    await using pushed = await openStream(`${url}/subscribe?topic=alone&group=pushed&max=5`);
    for (const stream of [named, pattern, pushed]) await stream.messages(5);
    await send(`${url}/topics/alone`);
    await publish(url, { topic: "alone", data: 1, durability: "replicated" });
    await publish(url, { topic: "alone", data: 1, durability: "ephemeral" });
    await send(`${url}/topics?prefix=o`);
  }
  const both = async () => new Set([...await doneAt(a), ...await doneAt(b)]);
  await until(async () => (await both()).has("+unsubscribe"), { what: "channels to be left" });
  await send(`${url}/topics/alone/redrive`, { json: { ids: ["1-1"] } });
  const moved = new AbortController();
  const growing = growTopics(url, moved.signal);
  await reshardTo({ from: [urlOf(a)], to: [urlOf(a), urlOf(b)], partitions: 4 });
  await reshardTo({ from: [urlOf(a), urlOf(b)], to: [urlOf(b)] });
  moved.abort();
  await growing;
  const unseen = async () => {
    const done = await both();
    return rules.filter((rule) => rule.startsWith("+") && !(rule in RARE) && !done.has(rule));
  };
  assert.deepEqual(await unseen(), []);
  assert.deepEqual(traffic.failures, []);
  assert.deepEqual([await refusedAt(a), await refusedAt(b)], ["", ""]);
});

/** Publishes to ever new topics, so that a pattern group meets them while what it consumes is copied. */
async function growTopics(url: string, signal: AbortSignal): Promise<void> {
  for (let i = 0; !signal.aborted; i++) {
    await putGroup(url, { topic: "orders.*", group: "grown", since: "earliest" });
    await publish(url, { topic: `orders.n${i % 500}`, data: i });
  }
}

Deno.test("a reshard that lacks a rule says which, and has done nothing", async () => {
  await using a = await startRestricted([...user.serving, ...user.reshard]);
  await using b = await startRestricted([...user.serving, ...without(user.reshard, "+hscan")]);
  await using runnel = await openRunnel({ redisUrl: urlOf(a) });
  await publishId(runnel.url, { topic: "t", data: 1 });
  await assert.rejects(
    reshardTo({ from: [urlOf(a)], to: [urlOf(b)] }),
    { message: `redis://127.0.0.1:${b.port}/0 does not allow it: ACL SETUSER runnel +hscan` },
  );
  await publishId(runnel.url, { topic: "t", data: 2 });
});

/** What Runnel said of the rule, in lines of its log. */
function linesOf({ logs }: Runnel, rule: string): Record<string, unknown>[] {
  return logs.map((line) => JSON.parse(line)).filter(({ level, missing = [] }) =>
    level === "error" && missing.includes(rule)
  );
}

const ALL = ["publish", "subscribe", "pull", "topics/t"] as const;

/** Asks for one thing of each kind; resolves with those that were refused. */
async function refusedOf(url: string): Promise<string[]> {
  const calls: Record<typeof ALL[number], () => ReturnType<typeof send>> = {
    publish: () => publish(url, { topic: "t", data: 1 }),
    subscribe: () => send(`${url}/subscribe?topic=t&since=earliest&limit=1`),
    pull: () => send(`${url}/pull`, { json: { topic: "t", group: "g" } }),
    "topics/t": () => send(`${url}/topics/t`),
  };
  const refused: string[] = [];
  for (const name of ALL) {
    const answer = await calls[name]();
    if (answer.status < 300) continue;
    const { retryable, detail } = assertProblem(answer, { status: 503, code: "redis_forbidden" });
    assert.equal(retryable, false);
    assert.equal(detail, "Redis does not allow its user a command, key or channel");
    refused.push(name);
  }
  return refused;
}

const CASES: readonly (readonly [rule: string, refused: readonly string[]])[] = [
  ["~{rn:*", ALL],
  ["&{rn:*", ALL],
  ["+xadd", ALL],
  ["+info", ALL],
  ["+eval", ALL],
  ["+evalsha", ALL],
  ["+publish", ALL],
  ["+subscribe", ["subscribe"]],
  ["+memory|usage", ["topics/t"]],
];

/** Rules without which clients are refused nothing of {@link ALL}. */
const MILD = ["+multi", "+exec", "+del", "+zremrangebyscore"];

Deno.test("without a rule clients get 503 redis_forbidden, and one line of the log names rule and user", async (t) => {
  for (const [rule, refused] of CASES) {
    await t.step(rule, async () => {
      await using redis = await startRestricted(without(user.serving, rule));
      await using runnel = await openRunnel({ redisUrl: urlOf(redis) });
      assert.deepEqual(await refusedOf(runnel.url), refused);
      assert.deepEqual(await refusedOf(runnel.url), refused);
      await until(() => linesOf(runnel, rule).length > 0, { what: "a line in the log" });
      const lines = linesOf(runnel, rule);
      assert.equal(lines.length, 1);
      assert.equal(lines[0]?.user, user.name);
      assert.equal(lines[0]?.rule, `ACL SETUSER ${user.name} ${rule}`);
      assert.doesNotMatch(runnel.logs.join("\n"), new RegExp(`:${user.password}@`));
      if (refused === ALL) assert.equal(await redis.cli("DBSIZE"), "0");
      // what was given is used without a restart
      await giveUser(redis, user, [rule]);
      assert.deepEqual(await refusedOf(runnel.url), []);
    });
  }
});

Deno.test("without a rule for what only counts, the log names it and clients are served", async (t) => {
  for (const rule of MILD) {
    await t.step(rule, async () => {
      await using redis = await startRestricted(without(user.serving, rule));
      await using runnel = await openRunnel({ redisUrl: urlOf(redis) });
      assert.deepEqual(await refusedOf(runnel.url), []);
      await until(() => linesOf(runnel, rule).length === 1, { what: "a line in the log" });
    });
  }
});

Deno.test("a rule that is taken away while Runnel runs is named too, and a message refused is not stored", async () => {
  await using redis = await startRestricted(user.serving);
  await using runnel = await openRunnel({ redisUrl: urlOf(redis) });
  const { url } = runnel;
  await publishId(url, { topic: "t", data: 1 });
  await giveUser(redis, user, ["-xadd"]);
  for (const data of [2, 3]) {
    const answer = await publish(url, { topic: "t", data });
    assertProblem(answer, { status: 503, code: "redis_forbidden" });
  }
  await until(() => linesOf(runnel, "+xadd").length === 1, { what: "a line in the log" });
  await giveUser(redis, user, ["+xadd"]);
  await publishId(url, { topic: "t", data: 4 });
  const { messages } = await pull(url, { topic: "t", group: "g", since: "earliest", max: 10 });
  assert.deepEqual(messages.map(({ data }) => data), [1, 4]);
});

Deno.test("a rule that is taken away half-way through a commit stops one call, and then nothing is begun", async () => {
  await using redis = await startRestricted(user.serving);
  await using runnel = await openRunnel({ redisUrl: urlOf(redis) });
  const { url } = runnel;
  await publishId(url, { topic: "t", data: 0 });
  await giveUser(redis, user, ["-zadd"]);
  for (const data of [1, 2, 3, 4]) {
    const answer = await publish(url, { topic: "new", data });
    assertProblem(answer, { status: 503, code: "redis_forbidden" });
  }
  assert.equal(await redis.cli("XLEN", "{rn:0}:t:new"), "1");
});

Deno.test("where the user may not choose the database, nothing is written to another", async () => {
  await using redis = await startRestricted(user.serving);
  await using runnel = await openRunnel({ redisUrl: urlOf(redis, 3) });
  const answer = await publish(runnel.url, { topic: "t", data: 1 });
  assertProblem(answer, { status: 503, code: "redis_forbidden" });
  assert.equal(await redis.cli("INFO", "keyspace"), "# Keyspace");
  await until(() => runnel.logs.some((line) => /may|'select'/.test(line) && /"error"/.test(line)));
  await giveUser(redis, user, user.database);
  await publishId(runnel.url, { topic: "t", data: 1 });
  assert.match(await redis.cli("INFO", "keyspace"), /^# Keyspace\r?\ndb3:/);
});
