import assert from "node:assert/strict";
import { publish, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { randomSource } from "../_support/random.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startServer } from "../_support/server.ts";
import { deadline, until } from "../_support/until.ts";
import { startPublishers } from "./publishers.ts";
import { assertFaultless, judge } from "./verdict.ts";
import { CROWD, TOPICS, watchAll } from "./watcher.ts";

Deno.test("publish() and subscribe() keep their promises while Redis is frozen and goes on", async () => {
  await using redis = await startRedis();
  await using runnel = await openRunnel({ redisUrl: redis.url });
  const urls = [runnel.url];
  await using crowd = await watchAll(CROWD, { urls, random: randomSource(51) });
  await using publishers = startPublishers({ urls, topics: TOPICS, seed: 51 });
  await publishers.progress(300);
  redis.pause();
  await until(() => publishers.refusals.has("503 outcome_unknown"), { timeoutMs: 3_000 });
  const late = publish(runnel.url, { topic: "a", data: null });
  const { status, body } = await deadline(late, 4_000, "the answer to a publisher");
  assert.deepEqual([status, body.retryable], [503, true]);
  const health = await send(`${runnel.url}/health/ready`);
  assert.equal(health.status, 503);
  redis.resume();
  await publishers.progress(300);
  await publishers.stop();
  const { acknowledged } = publishers;
  const { watchers } = crowd;
  assertFaultless(await judge({ url: runnel.url, topics: TOPICS, acknowledged, watchers }));
  for (const { stays, connections } of watchers) if (stays) assert.equal(connections, 1);
  await until(async () => (await send(`${runnel.url}/health/ready`)).status === 200);
});

const OPEN = { RUNNEL_AUTH: "open", RUNNEL_ALLOW_OPEN: "1" };

Deno.test("publish() and subscribe() keep their promises while one instance is frozen, goes on, and is killed with -9", async () => {
  await using redis = await startRedis();
  const options = { file: "functions/main.ts", redisUrl: redis.url, env: OPEN };
  const starting = [startServer(options), startServer(options)] as const;
  await using one = await starting[0];
  await using two = await starting[1];
  const urls = [one.url, two.url];
  await using crowd = await watchAll(CROWD, { urls, random: randomSource(52) });
  await using publishers = startPublishers({
    urls: [two.url],
    topics: TOPICS,
    seed: 52,
    single: 1,
    batches: 1,
  });
  await using doomed = startPublishers({
    urls,
    topics: ["doomed"],
    seed: 53,
    single: 2,
    batches: 0,
  });
  await doomed.progress(100);
  one.signal("SIGSTOP");
  // longer than any of its timers, while its subscribers' messages pile up
  const frozen = performance.now();
  await until(() => performance.now() - frozen > 2_000, { everyMs: 100 });
  await publishers.progress(500);
  one.signal("SIGCONT");
  await doomed.progress(100);
  await publishers.progress(200);
  await one.kill9();
  await publishers.progress(200);
  await doomed.progress(50);
  await Promise.all([publishers.stop(), doomed.stop()]);
  const evidence = { url: two.url, watchers: crowd.watchers };
  assertFaultless(
    await judge({ ...evidence, topics: TOPICS, acknowledged: publishers.acknowledged }),
  );
  assertFaultless(
    await judge({
      ...evidence,
      watchers: [],
      topics: ["doomed"],
      acknowledged: doomed.acknowledged,
    }),
  );
});
