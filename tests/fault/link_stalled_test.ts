import assert from "node:assert/strict";
import { publish, publishId } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";
import { startPublishers } from "./publishers.ts";
import { assertFaultless, judge } from "./verdict.ts";
import { CROWD, TOPICS, watch, watchAll } from "./watcher.ts";

Deno.test("publish() and subscribe() keep their promises while links to Redis stall, and late or never go on", async () => {
  await using redis = await startRedis();
  await using proxy = startProxy({ port: redis.port });
  await using runnel = await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, { urls, random: randomSource(21) });
  await using publishers = startPublishers({ urls, topics: TOPICS, seed: 21 });
  for (const forget of [false, true]) {
    await publishers.progress(300);
    proxy.stall();
    // a publisher is told within two seconds, and what it had sent arrives after that, or never
    await until(() => publishers.refusals.has("503 outcome_unknown"), { timeoutMs: 3_000 });
    publishers.refusals.clear();
    proxy.unstall({ forget });
    await publishers.progress(300);
  }
  await publishers.stop();
  const { acknowledged } = publishers;
  const { watchers } = crowd;
  assertFaultless(await judge({ url: runnel.url, topics: TOPICS, acknowledged, watchers }));
  for (const { stays, connections } of watchers) if (stays) assert.equal(connections, 1);
});

Deno.test("subscribe() finds within ten seconds that its links are half-open, and gives what came meanwhile", async () => {
  await using redis = await startRedis();
  await using proxy = startProxy({ port: redis.port });
  await using runnel = await openRunnel({ redisUrl: `redis://127.0.0.1:${proxy.port}` });
  await using other = await openRunnel({ redisUrl: redis.url });
  const urls = [runnel.url];
  await using named = await watch({ urls, topics: ["a"] });
  await using open = await watch({ urls, topics: ["*"] });
  const { url } = other;
  const first = await publishId(url, { topic: "a", data: { n: "1" } });
  await until(() => named.has(first) && open.has(first));
  // what is open now is dead for good and nobody is told; whoever dials anew gets a link that works
  proxy.stall();
  proxy.unstall({ forget: true });
  const second = await publishId(url, { topic: "a", data: { n: "2" } });
  await until(() => named.has(second) && open.has(second), { timeoutMs: 10_000 });
  const third = await publishId(url, { topic: "a", data: { n: "3" } });
  await until(() => named.has(third) && open.has(third));
  for (const { seen, gaps, connections } of [named, open]) {
    assert.deepEqual(seen.map(({ n }) => n), ["1", "2", "3"]);
    assert.deepEqual([gaps.length, connections], [0, 1]);
  }
  const answer = await publish(runnel.url, { topic: "a", data: { n: "4" } });
  assert.ok(answer.status === 200 || answer.status === 503, JSON.stringify(answer.body));
});
