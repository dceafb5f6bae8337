import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import { range } from "../_support/fill.ts";
import { publish, publishId } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { openStream } from "../_support/sse.ts";
import { primariesOf } from "../_support/topologies.ts";
import { until } from "../_support/until.ts";

const TOPICS = range(0, 24).map((i) => `m.${i}`);

Deno.test("shards may be a Sentinel set and a Redis alone, and the failover of one leaves the other alone", async () => {
  await using set = await startTopology("sentinel");
  await using alone = await startRedis();
  await using runnel = await openRunnel({ redisUrl: `${set.env.REDIS_URL} ${alone.url}` });
  const { url } = runnel;
  const first = await Promise.all(TOPICS.map((topic) => publishId(url, { topic, data: 1 })));
  assert.equal(new Set(first).size, TOPICS.length);
  const [primary] = await primariesOf(set);
  assert.ok(primary !== undefined);
  await using stream = await openStream(`${url}/subscribe?topic=m.*&since=earliest`);
  const seen = new Set((await stream.messages(TOPICS.length)).map(({ topic }) => topic));
  assert.deepEqual([...seen].sort(), [...TOPICS].sort());
  const { lastEventId } = stream;
  await primary.kill9();
  const attempts = await Promise.all(TOPICS.map((topic) => publish(url, { topic, data: 2 })));
  const refused = TOPICS.filter((_, i) => attempts[i]?.status !== 200);
  assert.ok(refused.length > 0, "some topics are on the set");
  assert.ok(refused.length < TOPICS.length, "and those of the other are published to");
  for (const topic of refused) {
    await until(async () => (await publish(url, { topic, data: 2 })).status === 200, {
      timeoutMs: 30_000,
      everyMs: 50,
    });
  }
  const headers = { "last-event-id": lastEventId };
  await using again = await openStream(`${url}/subscribe?topic=m.*`, { headers });
  const missed = await again.messages(TOPICS.length);
  assert.deepEqual(missed.map(({ topic }) => topic).sort(), [...TOPICS].sort());
  assert.deepEqual(new Set(missed.map(({ data }) => data)), new Set([2]));
});
