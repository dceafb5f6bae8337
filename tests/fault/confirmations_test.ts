import assert from "node:assert/strict";
import { prepareMessage } from "../../lib/broker/publish_input.ts";
import type { ConfirmedOutcome } from "../../lib/broker/confirmations.ts";
import { Script } from "../../lib/redis/script.ts";
import { CONFIRM } from "../../lib/redis/scripts/confirm.lua.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { openRequester, type Requester, type RequesterOptions } from "../_support/requester.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

const FOREVER = new AbortController().signal;

function publish(
  { confirmations }: Requester,
  subscribers: number,
  timeoutMs = 10_000,
): Promise<ConfirmedOutcome> {
  const message = prepareMessage({ topic: "t", data: 1 });
  return confirmations.publish(message, { subscribers, timeoutMs }, FOREVER);
}

/** The newest message's id, when its publisher has begun to wait. */
async function published({ partition }: Requester): Promise<string> {
  const { keys } = partition.store;
  return await until(async () => {
    const [newest] = await partition.store.history({ topic: "t", count: 1, descending: true });
    const id = newest?.message.id ?? "";
    const exists = await partition.node.run((client) => client.exists(keys.confirmations(id)));
    return exists === 1 && id;
  }, { what: "the message" });
}

function confirm({ confirmations }: Requester, id: string, subscription: string) {
  return confirmations.confirm({ topic: "t", ids: [id], subscription });
}

async function confirmWhileFeedIsAway(
  worse: RequesterOptions["worse"],
): Promise<ConfirmedOutcome> {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using publisher = openRequester({
    redisUrl: redis.url,
    feedUrl: `redis://127.0.0.1:${proxy.port}`,
    ...(worse === undefined ? {} : { worse }),
  });
  await using subscriber = openRequester({ redisUrl: redis.url });
  const waiting = publish(publisher, 2, 3_000);
  const id = await published(subscriber);
  await confirm(subscriber, id, "one");
  proxy.down();
  await confirm(subscriber, id, "two");
  await until(() => (proxy.up(), true));
  return await waiting;
}

Deno.test("a confirmation that comes while the feed's link is away is counted when it is back", async () => {
  const { confirmed, confirmations } = await confirmWhileFeedIsAway({
    // so that it is not the last count before the answer that finds it
    count: () => Promise.reject(new Error("too late")),
  });
  assert.deepEqual([confirmed, confirmations], [true, 2]);
});

Deno.test("twin: where nothing is counted again, a confirmation that comes while the feed's link is away is missed", async () => {
  const zero = () => Promise.resolve(0);
  const { confirmed } = await confirmWhileFeedIsAway({ register: zero, count: zero });
  assert.equal(confirmed, false);
});

Deno.test("a confirmation whose answer was lost is sent again and counted once", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using publisher = openRequester({ redisUrl: redis.url });
  await using subscriber = openRequester({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  const waiting = publish(publisher, 2, 800);
  const id = await published(publisher);
  // from then on Redis knows the script, so that the request that is cut is carried out
  assert.deepEqual((await confirm(subscriber, "1-1", "one")).unknown, ["1-1"]);
  const { done } = proxy.cutAfterRequest(new RegExp(new Script(CONFIRM).sha));
  assert.deepEqual(await confirm(subscriber, id, "one"), { done: 1, unknown: [] });
  await done;
  const { confirmed, confirmations } = await waiting;
  assert.deepEqual([confirmed, confirmations], [false, 1]);
});

Deno.test("a publisher waits through a redis-server that is killed with -9, and its confirmations count", async () => {
  await using redis = await startRedis();
  await using publisher = openRequester({ redisUrl: redis.url });
  await using subscriber = openRequester({ redisUrl: redis.url });
  const waiting = publish(publisher, 2, 20_000);
  const id = await published(subscriber);
  await confirm(subscriber, id, "one");
  await redis.kill9();
  await redis.restart();
  await until(async () => (await confirm(subscriber, id, "two")).done === 1);
  const { confirmed, confirmations } = await waiting;
  assert.deepEqual([confirmed, confirmations], [true, 2]);
});

Deno.test("a thousand publishers wait for the same subscriptions, and each is told of its own", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using publisher = openRequester({ redisUrl: redis.url });
  await using subscriber = openRequester({ redisUrl: redis.url });
  const waiting = Array.from({ length: 1_000 }, () => publish(publisher, 3));
  const ids = await until(async () => {
    const entries = await subscriber.partition.store.history({
      topic: "t",
      count: 1_000,
      descending: false,
    });
    return entries.length === 1_000 && entries.map(({ message }) => message.id ?? "");
  });
  for (const subscription of ["one", "two", "three"]) {
    const { done } = await subscriber.confirmations.confirm({ topic: "t", ids, subscription });
    assert.equal(done, 1_000);
  }
  const outcomes = await Promise.all(waiting);
  assert.deepEqual(new Set(outcomes.map(({ id }) => id)), new Set(ids));
  assert.ok(outcomes.every(({ confirmations }) => confirmations === 3));
  assert.equal(publisher.confirmations.size, 0);
});
