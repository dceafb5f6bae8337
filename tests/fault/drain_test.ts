import assert from "node:assert/strict";
import { publish, publishId, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";
import { startPublishers } from "./publishers.ts";
import { assertFaultless, judge } from "./verdict.ts";
import { CROWD, TOPICS, watchAll } from "./watcher.ts";

Deno.test("deno task start exits within 5 s of SIGTERM though Redis is frozen and a client does not read", async () => {
  await using redis = await startRedis();
  await using server = await startServer({ redisUrl: redis.url });
  const { url } = server;
  await using reading = await openStream(`${url}/subscribe?topic=a`);
  await using stuck = await openStream(`${url}/subscribe?topic=a`);
  for (const stream of [reading, stuck]) await stream.until("$ready");
  const rest = reading.rest();
  for (let i = 0; i < 16; i++) {
    const { status } = await send(`${url}/publish/a`, { body: "x".repeat(1_000_000) });
    assert.equal(status, 200);
  }
  await publishId(url, { topic: "a", data: "last" });
  redis.pause();
  const underWay = publish(url, { topic: "a", data: "under way" });
  await until(async () => (await send(`${url}/health/ready`)).status === 503);
  server.signal("SIGTERM");
  const { code } = await deadline(server.status, 5_000, "the exit");
  assert.equal(code, 0);
  const { status, body } = await underWay;
  assert.deepEqual([status, body.code], [503, "outcome_unknown"]);
  const bye = (await rest).at(-1);
  assert.equal(bye?.event, "$bye");
});

Deno.test("subscribe() ends streams after RUNNEL_STREAM_SECONDS, and whoever comes back as told misses nothing", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({
    redisUrl: redis.url,
    env: { RUNNEL_STREAM_SECONDS: "1" },
  });
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, { urls, random: randomSource(61) });
  const { watchers } = crowd;
  const staying = watchers.filter(({ stays }) => stays);
  await using publishers = startPublishers({ urls, topics: TOPICS, seed: 61, single: 2 });
  await until(() => staying.every(({ byes }) => byes.length >= 2), { what: "two ends of each" });
  await publishers.stop();
  const { acknowledged } = publishers;
  assertFaultless(await judge({ url: runnel.url, topics: TOPICS, acknowledged, watchers }));
  const byes = staying.flatMap(({ byes }) => byes);
  for (const { reason } of byes) assert.equal(reason, "time");
  const retries = byes.map(({ retryMs }) => Number(retryMs));
  assert.ok(new Set(retries).size > retries.length / 2, `not spread out: ${retries}`);
});
