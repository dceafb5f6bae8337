import assert from "node:assert/strict";
import process from "node:process";
import { OpenRequest } from "../../lib/broker/open_request.ts";
import type { RequestInput } from "../../lib/broker/request_input.ts";
import { RunnelError } from "../../lib/errors.ts";
import { Script } from "../../lib/redis/script.ts";
import { REPLY } from "../../lib/redis/scripts/reply.lua.ts";
import { type Answer, send } from "../_support/http.ts";
import { readHistory } from "../_support/history.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import type { Partition } from "../_support/partition.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { openRequester, type Requester, type RequesterOptions } from "../_support/requester.ts";
import { sendReply } from "../_support/responder.ts";
import { startProxy, type TcpProxy } from "../_support/tcp_proxy.ts";
import { deadline, until } from "../_support/until.ts";

const A_REPLY = new RegExp(new Script(REPLY).sha);
const FOREVER = new AbortController().signal;

/** What reads nothing: replies come by the feed's link or not at all. */
const BLIND: RequesterOptions["worse"] = {
  read: (ranges) => Promise.resolve(ranges.map(() => ({ open: true, replies: [] }))),
  end: () => Promise.resolve({ open: true, replies: [] }),
};

function ask(requester: Requester, changes: Partial<RequestInput> = {}): Promise<unknown[]> {
  const input = { topic: "t", data: 1, timeoutMs: 10_000, ...changes };
  const asked = requester.requests.request(input, FOREVER).then((replies) =>
    replies.map(({ body }) => JSON.parse(body).data)
  );
  // it may fail before anybody looks
  asked.catch(() => {});
  return asked;
}

/** The address of the newest request in a topic. */
async function replyToOf({ store }: Partition): Promise<string> {
  return await until(async () => {
    const [newest] = await store.history({ topic: "t", count: 1, descending: true });
    return newest && JSON.parse(newest.message.body).replyTo;
  }, { what: "the request" });
}

/** A requester whose feed goes through a proxy, and a responder elsewhere. */
async function withProxiedFeed<T>(
  worse: RequesterOptions["worse"],
  work: (parts: { requester: Requester; responder: Requester; proxy: TcpProxy }) => Promise<T>,
): Promise<T> {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using requester = openRequester({
    redisUrl: redis.url,
    feedUrl: `redis://127.0.0.1:${proxy.port}`,
    ...(worse === undefined ? {} : { worse }),
  });
  await using responder = openRequester({ redisUrl: redis.url });
  return await work({ requester, responder, proxy });
}

async function replyWhileFeedIsAway(worse: RequesterOptions["worse"]): Promise<unknown[]> {
  return await withProxiedFeed(worse, async ({ requester, responder, proxy }) => {
    const asked = ask(requester, { timeoutMs: 3_000, replies: 2 });
    const replyTo = await replyToOf(responder.partition);
    proxy.down();
    await responder.requests.reply({ replyTo, data: "small" });
    await responder.requests.reply({ replyTo, data: "x".repeat(50_000) });
    await until(() => (proxy.up(), true));
    return await asked;
  });
}

Deno.test("a reply that comes while the feed's link is away is read when it is back", async () => {
  const [small, large] = await replyWhileFeedIsAway({
    // so that it is not the last look before giving up that finds them
    end: () => Promise.reject(new Error("too late")),
  });
  assert.deepEqual([small, String(large).length], ["small", 50_000]);
});

Deno.test("twin: where nothing is read again, a reply that comes while the feed's link is away is missed", async () => {
  await assert.rejects(replyWhileFeedIsAway(BLIND), { code: "no_reply" });
});

async function replyOnHalfOpenFeed(worse: RequesterOptions["worse"]): Promise<unknown[]> {
  return await withProxiedFeed(worse, async ({ requester, responder, proxy }) => {
    const asked = ask(requester, { timeoutMs: 700 });
    const replyTo = await replyToOf(responder.partition);
    proxy.stall();
    await responder.requests.reply({ replyTo, data: "found" });
    return await asked;
  });
}

Deno.test("a reply is looked for once more before a request is given up, though the feed's link says nothing", async () => {
  assert.deepEqual(await replyOnHalfOpenFeed(undefined), ["found"]);
});

Deno.test("twin: where nobody looks once more, a reply on a half-open link is missed", async () => {
  await assert.rejects(replyOnHalfOpenFeed(BLIND), { code: "no_reply" });
});

async function replyWithLostAnswer(rekeyed: boolean): Promise<unknown[]> {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using requester = openRequester({ redisUrl: redis.url });
  await using direct = openRequester({ redisUrl: redis.url });
  const through = `redis://127.0.0.1:${proxy.port}`;
  await using responder = openRequester({
    redisUrl: through,
    worse: !rekeyed ? {} : {
      reply: (reply) =>
        responder.partition.store.requests.reply({ ...reply, key: crypto.randomUUID() }),
    },
  });
  const asked = ask(requester, { replies: 2, timeoutMs: 5_000 });
  const replyTo = await replyToOf(direct.partition);
  // from then on Redis knows the script, so that the first request that is cut is carried out
  const gone = { replyTo: `$inbox.${crypto.randomUUID()}`, data: 1 };
  await assert.rejects(responder.requests.reply(gone), { code: "requester_gone" });
  const { done } = proxy.cutAfterRequest(A_REPLY);
  await responder.requests.reply({ replyTo, data: "lost" });
  await done;
  await direct.requests.reply({ replyTo, data: "other" }).catch(() => {});
  return await asked;
}

Deno.test("a reply that Redis took and could not say so is sent again and taken once", async () => {
  assert.deepEqual(await replyWithLostAnswer(false), ["lost", "other"]);
});

Deno.test("twin: a reply that gets another key each time it is sent is taken twice", async () => {
  assert.deepEqual(await replyWithLostAnswer(true), ["lost", "lost"]);
});

Deno.test("a reply that was taken is 202 again when it is repeated, also where the requester has gone since", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using requester = openRequester({ redisUrl: redis.url });
  const asked = ask(requester);
  const replyTo = await replyToOf(requester.partition);
  const reply = { replyTo, data: 1, idempotencyKey: "k" };
  await requester.requests.reply(reply);
  await asked;
  await until(async () => await redis.cli("KEYS", "*:q:*") === "");
  await requester.requests.reply(reply);
  await assert.rejects(requester.requests.reply({ ...reply, idempotencyKey: "other" }), {
    code: "requester_gone",
  });
});

Deno.test("a request whose commit's answer was lost is published once and answered", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using requester = openRequester({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  await using responder = openRequester({ redisUrl: redis.url });
  // from then on Redis knows the script, so that the request that is cut is carried out
  await requester.partition.publishOne("warm");
  const { done } = proxy.cutAfterRequest(/\$inbox/);
  const asked = ask(requester);
  const replyTo = await replyToOf(responder.partition);
  await done;
  await responder.requests.reply({ replyTo, data: "once" });
  assert.deepEqual(await asked, ["once"]);
  const stored = await responder.partition.store.history({
    topic: "t",
    count: 10,
    descending: false,
  });
  assert.equal(stored.length, 1);
});

/** Requests that wait through a death of Redis; a responder elsewhere answers them when it is back. */
async function askThroughDeath(redis: RedisServer, count: number): Promise<Answer[]> {
  await using one = await openRunnel({ redisUrl: redis.url });
  await using two = await openRunnel({ redisUrl: redis.url });
  const asked = Array.from(
    { length: count },
    (_, data) =>
      send(`${one.url}/request`, { json: { topic: "t", data, timeoutMs: 12_000, replies: 1 } }),
  );
  const requests = await until(async () => {
    const messages = await readHistory(one.url, "t");
    return messages.length === count && messages;
  });
  await redis.kill9();
  await redis.restart();
  await Promise.all(requests.map(async (request) => {
    const { data } = request;
    const { replyTo = "" } = request as { replyTo?: string };
    await until(async () => {
      const { status } = await sendReply(two.url, { replyTo, data, idempotencyKey: "k" });
      return status === 202 || status === 410;
    });
  }));
  return await deadline(Promise.all(asked), 15_000);
}

Deno.test("requests wait through a redis-server that is killed with -9, and get their replies", async () => {
  await using redis = await startRedis();
  const answers = await askThroughDeath(redis, 50);
  for (const [i, { status, body }] of answers.entries()) {
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal((body.replies as { data: number }[])[0]?.data, i);
  }
  assert.equal(await redis.cli("KEYS", "*:q:*"), "");
});

Deno.test("twin: where Redis writes no file, killing it loses requests, and whoever waits is told at once", async () => {
  await using redis = await startRedis({ appendonly: false });
  const answers = await askThroughDeath(redis, 5);
  assert.deepEqual(answers.map(({ body }) => body.code), Array(5).fill("no_reply"));
});

Deno.test("more requests than a process may have open are refused, and the place of one that ended is free", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using requester = openRequester({ redisUrl: redis.url, most: 2 });
  const open = [ask(requester, { timeoutMs: 300 }), ask(requester, { timeoutMs: 300 })];
  await assert.rejects(ask(requester), { code: "overloaded" });
  for (const one of open) await assert.rejects(one, RunnelError);
  await assert.rejects(ask(requester, { timeoutMs: 10 }), { code: "no_reply" });
});

Deno.test("whoever goes on elsewhere after its time was over is answered, and the runtime warns of nothing", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using requester = openRequester({ redisUrl: redis.url });
  const { requests, confirmations } = requester;
  const warnings: Error[] = [];
  const warn = (warning: Error) => void warnings.push(warning);
  process.on("warning", warn);
  const until = performance.now() - 1_000;
  const open = new OpenRequest(crypto.randomUUID(), 1, until);
  open.isPublished = true;
  const input = { topic: "t", data: 1, timeoutMs: 1 };
  await assert.rejects(requests.resume(open, input, FOREVER), { code: "no_reply" });
  const waiting = { id: "1-1", topic: "t", duplicate: false, subscribers: 1, timeoutMs: 1, until };
  const { confirmed } = await confirmations.resume(waiting, FOREVER);
  assert.equal(confirmed, false);
  process.off("warning", warn);
  assert.deepEqual(warnings, []);
});

const CROWD = 10_000;
/** What one open request may cost at the most, HTTP's objects and garbage that was not collected yet among it. */
const BYTES_EACH = 32_768;

function connectionsOf(redis: RedisServer): Promise<number> {
  return redis.cli("CLIENT", "LIST").then((text) => text.trim().split("\n").length);
}

function askInProcess(runnel: Runnel, data: number): Promise<Response> {
  return runnel.fetch(
    new Request(`${runnel.url}/request`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ topic: "t", data, timeoutMs: 120_000 }),
    }),
  );
}

Deno.test("10,000 requests are open at once with little memory each and no connection", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({ redisUrl: redis.url });
  await using responder = openRequester({ redisUrl: redis.url });
  const first = askInProcess(runnel, -1);
  await responder.requests.reply({ replyTo: await replyToOf(responder.partition), data: -1 });
  assert.equal((await first).status, 200);
  const connections = await connectionsOf(redis);
  const heap = Deno.memoryUsage().heapUsed;
  const asked = Array.from({ length: CROWD }, (_, i) => askInProcess(runnel, i));
  const keys = async () =>
    (await redis.cli("KEYS", "*:q:*")).split("\n").filter((name) => name !== "").length;
  await until(async () => await keys() === CROWD, { timeoutMs: 30_000, everyMs: 200 });
  const each = (Deno.memoryUsage().heapUsed - heap) / CROWD;
  assert.ok(each < BYTES_EACH, `${Math.round(each)} bytes a request`);
  assert.equal(await connectionsOf(redis), connections);
  const requests = await responder.partition.store.history({
    topic: "t",
    count: CROWD,
    descending: true,
  });
  const bodies = requests.map(({ message }) => JSON.parse(message.body)).values();
  await Promise.all(Array.from({ length: 64 }, async () => {
    for (const { replyTo, data } of bodies) await responder.requests.reply({ replyTo, data });
  }));
  for (const [i, response] of (await deadline(Promise.all(asked), 60_000)).entries()) {
    assert.equal(response.status, 200);
    assert.equal((await response.json()).data, i);
  }
  await until(async () => await keys() === 0);
});
