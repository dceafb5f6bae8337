import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { publish, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { openStream } from "../_support/sse.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

/** What only the connection sends on which messages come. */
const SUBSCRIBER = /\bsubscribe\b/i;

Deno.test("GET /health/ready is red while messages are stored and do not come, and green again", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy(redis);
  await using runnel = await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  const { url } = runnel;
  const ready = () => send(`${url}/health/ready`);
  await using stream = await openStream(`${url}/subscribe/a`);
  await stream.until("$ready");
  assert.equal((await ready()).status, 200);
  const swallowing = proxy.swallow(SUBSCRIBER);
  const red = await until(async () => {
    const answer = await ready();
    return answer.status !== 200 && answer;
  });
  assert.equal(red.status, 503);
  assert.equal(red.body.code, "feed_silent");
  assert.equal(red.body.retryable, true);
  for (let i = 0; i < 3; i++) {
    assert.equal((await publish(url, { topic: "a", data: i })).status, 200);
    assert.equal((await ready()).status, 503);
  }
  swallowing[Symbol.dispose]();
  await until(async () => (await ready()).status === 200, { timeoutMs: 20_000 });
  const messages = await stream.messages(3);
  assert.deepEqual(messages.map(({ data }) => data), [0, 1, 2]);
});

Deno.test("GET /health/ready says which of several Redis does not deliver", async () => {
  await using a = await startRedis({ appendonly: false });
  await using b = await startRedis({ appendonly: false });
  await using proxy = startProxy(b);
  await using runnel = await openRunnel({ redisUrl: `${a.url} redis://127.0.0.1:${proxy.port}` });
  const ready = () => send(`${runnel.url}/health/ready`);
  await until(async () => (await ready()).body.status === "ready");
  const swallowing = proxy.swallow(SUBSCRIBER);
  const { status, body } = await until(async () => {
    const answer = await ready();
    return answer.body.status === "degraded" && answer;
  });
  assert.equal(status, 200);
  assert.deepEqual(body.shards, [
    { shard: 1, status: "ready" },
    { shard: 2, status: "down", code: "feed_silent" },
  ]);
  swallowing[Symbol.dispose]();
  await until(async () => (await ready()).body.status === "ready", { timeoutMs: 20_000 });
});

Deno.test("GET /health/ready of a process that has delivered nothing yet finds out by itself", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy(redis);
  await using runnel = await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  using _swallowing = proxy.swallow(SUBSCRIBER);
  const { status, body } = await send(`${runnel.url}/health/ready`);
  assert.deepEqual([status, body.code], [503, "feed_silent"]);
  assert.equal((await publish(runnel.url, { topic: "a", data: 1 })).status, 200);
});
