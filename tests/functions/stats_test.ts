import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import type { Stats } from "../../lib/codec/stats.ts";
import { ALL, bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { publish, send } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { type EventStream, openStream } from "../_support/sse.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

/** The next report. */
async function nextOf(stream: EventStream): Promise<Stats> {
  const [event] = (await stream.until("stats")).slice(-1);
  const message = JSON.parse(event?.data ?? "");
  assert.equal(message.id, null);
  assert.equal(message.topic, "$stats");
  return message.data;
}

/** Reports until one fits. */
async function reportThat(
  stream: EventStream,
  fits: (stats: Stats) => boolean,
): Promise<readonly Stats[]> {
  const reports: Stats[] = [];
  for (;;) {
    const stats = await nextOf(stream);
    reports.push(stats);
    if (fits(stats)) return reports;
  }
}

function sumOf(reports: readonly Stats[], name: "in" | "out" | "requests" | "refused"): number {
  return reports.reduce((sum, stats) => sum + stats[name], 0);
}

Deno.test("$stats says every second what was published, delivered, asked and refused", async () => {
  await using runnel = await openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_PREFIX: "st1" },
  });
  const { url } = runnel;
  await using watching = await openStream(`${url}/subscribe?topic=$stats`);
  await nextOf(watching);
  await using reading = await openStream(`${url}/subscribe/a`);
  await reading.until("$ready");
  for (let i = 0; i < 5; i++) await publish(url, { topic: "a", data: i });
  await reading.messages(5);
  await send(`${url}/publish/$a`, { method: "POST", body: "x" });
  await send(`${url}/pull`, { json: { topic: "a", group: "g", since: "earliest", max: 2 } });
  const reports = await reportThat(watching, ({ groups }) => groups.count === 1);
  const [last] = reports.slice(-1);
  assert.ok(last);
  assert.equal(sumOf(reports, "in"), 5);
  // two of them are leased
  assert.equal(sumOf(reports, "out"), 7);
  assert.equal(sumOf(reports, "refused"), 1);
  assert.ok(sumOf(reports, "requests") >= 7, JSON.stringify(reports));
  assert.equal(last.subscribers, 1);
  assert.equal(last.topics, 1);
  assert.deepEqual(last.groups, { count: 1, lag: 3, pending: 2, dead: 0 });
  assert.match(last.instance, /^[0-9a-f-]{36}$/);
  assert.ok(Math.abs(Date.parse(last.time) - Date.now()) < 60_000);
  assert.ok(last.intervalMs > 0 && last.eventLoopMs >= 0);
  for (const name of ["publishMs", "deliveryMs"] as const) {
    const times = reports.map((stats) => stats[name]).find((one) => one !== null);
    assert.ok(times && times.p50 >= 0 && times.p99 >= times.p50, JSON.stringify(times));
  }
  const [server, ...others] = last.redis;
  assert.deepEqual(others, []);
  assert.ok(server);
  const { latencyMs, memoryBytes, ...rest } = server;
  assert.ok(Number(latencyMs) > 0 && Number(memoryBytes) > 100_000, JSON.stringify(server));
  assert.deepEqual(rest, { shard: 1, maxMemoryBytes: 0, connected: true });
});

Deno.test("$stats comes from every process, on several shards, and no pattern matches it", async () => {
  await using other = await startRedis({ appendonly: false });
  const options = {
    redisUrl: `${redis.server.url} ${other.url}`,
    env: { RUNNEL_PREFIX: "st2" },
  };
  await using a = await openRunnel(options);
  await using b = await openRunnel(options);
  await publish(b.url, { topic: "begin", data: 1 });
  await using everything = await until(() =>
    openStream(`${a.url}/subscribe?topic=**&topic=$*&topic=$**`)
  );
  // it has the channels of whole partitions, so that the other process is found by its presence only
  await everything.until("$ready");
  await using watching = await until(() => openStream(`${a.url}/subscribe?topic=$stats`));
  const instances = new Set<string>();
  const reports = await reportThat(
    watching,
    ({ instance, redis }) => instances.add(instance).size === 2 && redis.length === 2,
  );
  assert.deepEqual(reports.at(-1)?.redis.map(({ shard }) => shard), [1, 2]);
  assert.ok(reports.at(-1)?.redis.every(({ connected }) => connected));
  await publish(a.url, { topic: "end", data: 1 });
  const [message] = await everything.messages(1);
  assert.equal(message?.topic, "end");
});

Deno.test("$stats tells of a Redis that is away, and comes on while the others work", async () => {
  await using other = await startRedis({ appendonly: false });
  await using runnel = await openRunnel({
    redisUrl: `${redis.server.url} ${other.url}`,
    env: { RUNNEL_PREFIX: "st3" },
  });
  await using watching = await until(() => openStream(`${runnel.url}/subscribe?topic=$stats`));
  await reportThat(watching, ({ redis }) => redis.length === 2);
  // where the topic itself is may go too
  await other.kill9();
  const [last] = (await reportThat(
    watching,
    ({ redis }) => redis.some(({ connected }) => connected === false),
  )).slice(-1);
  assert.deepEqual(last?.redis.map(({ connected }) => connected), [true, false]);
});

Deno.test("$stats goes on for who is subscribed while the only Redis is away, and after it", async () => {
  await using server = await startRedis();
  await using runnel = await openRunnel({ redisUrl: server.url });
  await using watching = await until(() => openStream(`${runnel.url}/subscribe?topic=$stats`));
  await reportThat(watching, ({ redis: [one] }) => one?.connected === true);
  await server.kill9();
  await reportThat(watching, ({ redis: [one] }) => one?.connected === false);
  await server.restart();
  await reportThat(watching, ({ redis: [one] }) => one?.connected === true);
});

Deno.test("$stats is for who may manage, or is granted it by name", async () => {
  await using runnel = await openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_PREFIX: "st4", ...JWT_ENV },
  });
  const url = `${runnel.url}/subscribe?topic=$stats`;
  for (const grants of [{ manage: true }, { subscribe: ["$stats"] }]) {
    const headers = bearer(await token(grants));
    await using stream = await openStream(url, { headers });
    await nextOf(stream);
  }
  for (const grants of [ALL, { subscribe: ["**", "$**", "$stat*"] }]) {
    const headers = bearer(await token(grants));
    const { status, body } = await send(url, { headers });
    assert.equal(status, 403, JSON.stringify(body));
  }
  const json = { subscribe: ["$stats"] };
  const manager = bearer(await token({ manage: true }));
  const { status, body } = await send(`${runnel.url}/token`, { json, headers: manager });
  assert.equal(status, 200, JSON.stringify(body));
  await using stream = await openStream(`${url}&ticket=${body.ticket}`);
  await nextOf(stream);
});

Deno.test("nobody publishes to $stats, and nothing of it is kept", async () => {
  await using runnel = await openRunnel({
    redisUrl: redis.server.url,
    env: { RUNNEL_PREFIX: "st5" },
  });
  const refused = await send(`${runnel.url}/publish/$stats`, { method: "POST", body: "x" });
  assert.equal(refused.status, 400);
  await using watching = await until(() => openStream(`${runnel.url}/subscribe?topic=$stats`));
  await nextOf(watching);
  assert.equal((await send(`${runnel.url}/topics/$stats`)).status, 404);
  assert.deepEqual((await send(`${runnel.url}/topics`)).body.topics, []);
});
