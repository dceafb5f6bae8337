import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { ALL, bearer, JWT_ENV, token } from "../_support/credentials.ts";
import { publish, send } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { type Family, readPrometheus, valueOf } from "../_support/prometheus.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";

const redis = shareRedis();

function open(prefix: string, env: Record<string, string> = {}): Promise<Runnel> {
  return openRunnel({ redisUrl: redis.server.url, env: { RUNNEL_PREFIX: prefix, ...env } });
}

async function scrape(
  url: string,
  headers: Record<string, string> = {},
): Promise<Map<string, Family>> {
  const response = await fetch(`${url}/metrics`, { headers });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  return readPrometheus(text);
}

Deno.test("/metrics counts what was published, delivered and answered", async () => {
  await using runnel = await open("m1");
  const { url } = runnel;
  await using stream = await openStream(`${url}/subscribe/a`);
  await stream.until("$ready");
  for (let i = 0; i < 3; i++) await publish(url, { topic: "a", data: i });
  await publish(url, { topic: "a", data: 1, idempotencyKey: "k" });
  await publish(url, { topic: "a", data: 1, idempotencyKey: "k" });
  await publish(url, { topic: "a", data: 1, idempotencyKey: "k" });
  await publish(url, { topic: "a", data: 2, durability: "ephemeral" });
  await publish(url, { topic: "a", data: 3, delayMs: 3_600_000 });
  await send(`${url}/batch`, { json: [{ topic: "a", data: 4 }, { topic: "b", data: 5 }] });
  await send(`${url}/publish`, { json: { topic: "a", data: 6, idempotencyKey: "k" } });
  await send(`${url}/publish`, { json: { topic: "$no", data: 1 } });
  await send(`${url}/nowhere/at/all`);
  await stream.messages(6);
  await send(`${url}/pull`, {
    json: { topic: "a", group: "g", consumer: "c", since: "earliest", max: 2 },
  });
  const found = await scrape(url);
  const value = (name: string, labels: Record<string, string> = {}) => valueOf(found, name, labels);
  const published = (outcome: string) => value("runnel_publish_messages_total", { outcome });
  assert.deepEqual(
    ["stored", "duplicate", "ephemeral", "scheduled", "failed"].map(published),
    [6, 2, 1, 1, 1],
  );
  assert.equal(value("runnel_publish_calls_total", { kind: "batch" }), 1);
  assert.equal(value("runnel_publish_duration_seconds_count"), 10);
  assert.equal(value("runnel_commit_messages_total"), 10);
  assert.equal(value("runnel_delivered_messages_total", { to: "subscription" }), 6);
  assert.equal(value("runnel_delivered_messages_total", { to: "pull" }), 2);
  assert.equal(value("runnel_delivery_delay_seconds_count"), 5);
  assert.equal(value("runnel_subscriptions_open", { kind: "subscription" }), 1);
  const requests = (route: string, status: string) =>
    value("runnel_http_requests_total", { route, status });
  assert.equal(requests("/publish", "2xx"), 8);
  assert.equal(requests("/publish", "4xx"), 2);
  assert.equal(requests("/subscribe/:topic", "2xx"), 1);
  assert.equal(requests("other", "4xx"), 1);
  assert.equal(value("runnel_http_request_duration_seconds_count", { route: "/publish" }), 10);
  assert.equal(value("runnel_topics"), 2);
  assert.equal(value("runnel_groups"), 1);
  assert.equal(value("runnel_group_lag_messages"), 3);
  assert.equal(value("runnel_group_pending_messages"), 2);
  assert.equal(value("runnel_group_leased_messages"), 2);
  assert.equal(value("runnel_group_dead_letters"), 0);
  assert.ok(value("runnel_redis_command_duration_seconds_count", { command: "commit" }) >= 9);
  assert.ok(value("runnel_redis_command_duration_seconds_count", { command: "work" }) >= 1);
  assert.equal(value("runnel_redis_up"), 1);
  assert.ok(value("runnel_redis_latency_seconds") > 0);
  assert.ok(value("runnel_redis_memory_bytes") > 100_000);
  assert.equal(found.get("runnel_redis_memory_limit_bytes")?.samples.length, 0);
  assert.equal(
    value("runnel_redis_connections", { kind: "command", state: "up" }),
    value("runnel_redis_connections", { kind: "command", state: "wanted" }),
  );
  assert.equal(value("runnel_redis_connections", { kind: "feed" }), 1);
  assert.equal(value("runnel_build_info"), 1);
  assert.ok(value("runnel_memory_bytes", { kind: "heap_used" }) > 1_000_000);
  await until(async () => {
    return valueOf(await scrape(url), "runnel_event_loop_delay_seconds_count") > 0;
  });
});

Deno.test("/metrics has as many series for a thousand topics and identities as for a few", async () => {
  await using runnel = await open("m2", JWT_ENV);
  const { url } = runnel;
  const manager = bearer(await token({ manage: true }));
  const use = async (from: number, to: number) => {
    const all = Array.from({ length: to - from }, async (_, i) => {
      const headers = bearer(await token(ALL, { sub: `user${from + i}` }));
      const topic = `topic${from + i}`;
      const json = { topic, data: 1 };
      const response = await runnel.fetch(
        new Request(`${url}/publish`, {
          method: "POST",
          body: JSON.stringify(json),
          headers: { ...headers, "content-type": "application/json" },
        }),
      );
      await response.body?.cancel();
      const page = await runnel.fetch(new Request(`${url}/topics/${topic}`, { headers }));
      await page.body?.cancel();
      const other = await runnel.fetch(new Request(`${url}/user${from + i}/x`, { headers }));
      await other.body?.cancel();
    });
    await Promise.all(all);
  };
  // what is asked of Redis now and then has a row when it was asked first
  const series = (families: Map<string, Family>) =>
    [...families.values()].filter(({ name }) => !name.startsWith("runnel_redis_command_"))
      .reduce((sum, { samples }) => sum + samples.length, 0);
  await use(0, 3);
  await scrape(url, manager);
  const few = await scrape(url, manager);
  for (let i = 0; i < 10; i++) await use(i * 100, (i + 1) * 100);
  const many = await scrape(url, manager);
  assert.equal(valueOf(many, "runnel_publish_messages_total", { outcome: "stored" }), 1_003);
  assert.equal(series(many), series(few));
  assert.ok(series(few) < 1_000, `${series(few)}`);
  const commands = many.get("runnel_redis_command_duration_seconds")?.samples ?? [];
  assert.ok(new Set(commands.map(({ labels }) => labels.command)).size < 40);
  for (const { samples } of many.values()) {
    for (const { labels } of samples) assert.doesNotMatch(JSON.stringify(labels), /topic\d|user\d/);
  }
});

Deno.test("/metrics names say their unit, and their help says what they are", async () => {
  await using runnel = await open("m3");
  for (const { name, help, type } of (await scrape(runnel.url)).values()) {
    assert.match(name, /^runnel_[a-z_]+$/);
    assert.doesNotMatch(name, /_(ms|millis|kb|mb|percent)(_|$)/);
    if (type === "histogram") assert.match(name, /_seconds$/);
    assert.ok(help.length > 10, name);
    if (/_total$/.test(name)) assert.doesNotMatch(name, /_count_total$/);
  }
});

Deno.test("/metrics is for who may manage, or is granted $stats by name", async () => {
  await using runnel = await open("m4", JWT_ENV);
  const url = `${runnel.url}/metrics`;
  for (const grants of [{ manage: true }, { subscribe: ["$stats"] }]) {
    await scrape(runnel.url, bearer(await token(grants)));
  }
  for (const grants of [ALL, { subscribe: ["$**"] }]) {
    const { status } = await send(url, { headers: bearer(await token(grants)) });
    assert.equal(status, 403);
  }
  assert.equal((await send(url)).status, 401);
});

Deno.test("/metrics answers while Redis is away, and says so", async () => {
  await using server = await startRedis();
  await using runnel = await openRunnel({ redisUrl: server.url });
  await publish(runnel.url, { topic: "a", data: 1 });
  assert.equal(valueOf(await scrape(runnel.url), "runnel_redis_up"), 1);
  await server.kill9();
  const found = await until(async () => {
    const now = await deadline(scrape(runnel.url), 10_000, "the page");
    return valueOf(now, "runnel_redis_up") === 0 && now;
  });
  assert.equal(found.get("runnel_redis_up")?.samples.length, 1);
  await until(async () =>
    valueOf(await scrape(runnel.url), "runnel_redis_connections", { state: "up" }) === 0
  );
  assert.equal(valueOf(found, "runnel_publish_messages_total", { outcome: "stored" }), 1);
  await server.restart();
  await until(async () => valueOf(await scrape(runnel.url), "runnel_redis_up") === 1);
});

Deno.test("/metrics counts gaps and breaks", async () => {
  await using server = await startRedis();
  await using runnel = await openRunnel({
    redisUrl: server.url,
    env: { RUNNEL_MAX_MESSAGES: "2" },
  });
  const { url } = runnel;
  const first = await publish(url, { topic: "a", data: 0 });
  for (let i = 1; i < 6; i++) await publish(url, { topic: "a", data: i });
  await using stream = await openStream(`${url}/subscribe/a?lastEventId=${first.body.id}`);
  await stream.until("$gap");
  await stream.messages(2);
  await server.restart();
  await until(async () => (await publish(url, { topic: "a", data: "x" })).status === 200);
  await stream.until(({ data }) => data.includes('"x"'));
  const found = await scrape(url);
  assert.equal(valueOf(found, "runnel_gaps_total", { reason: "retention" }), 1);
  assert.ok(valueOf(found, "runnel_feed_breaks_total") > 0);
});

Deno.test("each Runnel of a process counts its own", async () => {
  await using a = await open("m5");
  await using b = await open("m5");
  await publish(a.url, { topic: "a", data: 1 });
  const stored = async ({ url }: Runnel) =>
    valueOf(await scrape(url), "runnel_publish_messages_total", { outcome: "stored" });
  assert.deepEqual([await stored(a), await stored(b)], [1, 0]);
});
