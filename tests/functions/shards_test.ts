import assert from "node:assert/strict";
import { EventSource } from "eventsource";
import { partitionOf } from "../../lib/codec/partition_of.ts";
import { messagesIn, range } from "../_support/fill.ts";
import { readHistory } from "../_support/history.ts";
import { publish, publishId, send } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";
import { type EventStream, openStream } from "../_support/sse.ts";
import { until } from "../_support/until.ts";
import { dataOf, pull } from "../_support/work.ts";

interface Shards extends AsyncDisposable {
  readonly servers: readonly RedisServer[];
  /** As `REDIS_URL` takes them. */
  readonly redisUrl: string;
  open(env?: Record<string, string>): Promise<Runnel>;
}

/** Starts Redis servers that are to be shards. */
async function startShards(count: number): Promise<Shards> {
  await using stack = new AsyncDisposableStack();
  const servers = await Promise.all(range(0, count).map(() => startRedis()));
  for (const server of servers) stack.use(server);
  const redisUrl = servers.map(({ url }) => url).join(" ");
  const all = stack.move();
  return {
    servers,
    redisUrl,
    open: (env = {}) => openRunnel({ redisUrl, env }),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** A topic of each partition. */
function topicsOf(partitions: number, name = "t"): string[] {
  const topics: string[] = [];
  for (let i = 0; Object.keys(topics).length < partitions; i++) {
    const topic = `${name}.${i}`;
    topics[partitionOf(topic, partitions)] ??= topic;
  }
  return topics;
}

/**
 * The topics of so many messages with these data, others apart: clocks may differ, so that a partition that cannot be
 * asked when a subscription begins starts a little earlier.
 */
async function topicsWith(
  stream: EventStream,
  { data, count }: { data: string; count: number },
): Promise<string[]> {
  const topics: string[] = [];
  while (topics.length < count) {
    const [message] = await stream.messages(1);
    if (message?.data === data) topics.push(message.topic);
  }
  return topics.toSorted();
}

const streams = (server: RedisServer) => server.cli("--scan", "--pattern", "*:t:*");

Deno.test("topics are spread over several Redis, and listed and read as one", async () => {
  await using shards = await startShards(3);
  await using runnel = await shards.open();
  const topics = topicsOf(16);
  for (const [i, topic] of topics.entries()) await publishId(runnel.url, { topic, data: i });
  for (const server of shards.servers) {
    const stored = (await streams(server)).split("\n");
    assert.ok(stored.length === 5 || stored.length === 6, `${stored}`);
  }
  const listed: string[] = [];
  for (let after = ""; listed.length < 100;) {
    const { body } = await send(`${runnel.url}/topics?limit=3&after=${after}`);
    listed.push(...(body.topics as { topic: string }[]).map(({ topic }) => topic));
    if (body.next === undefined) break;
    after = `${body.next}`;
  }
  assert.deepEqual(listed, topics.toSorted());
  for (const [i, topic] of topics.entries()) {
    assert.deepEqual((await readHistory(runnel.url, topic)).map(({ data }) => data), [i]);
  }
});

Deno.test("topics with the same {tag} are in the same Redis", async () => {
  await using shards = await startShards(3);
  await using runnel = await shards.open();
  for (const n of range(0, 20)) await publishId(runnel.url, { topic: `{eu}.${n}`, data: n });
  const counts = await Promise.all(
    shards.servers.map(async (server) =>
      (await streams(server)).split("\n").filter((line) => line !== "").length
    ),
  );
  assert.deepEqual(counts.toSorted(), [0, 0, 20]);
});

Deno.test("a subscription over several Redis resumes exactly, wherever it was cut and whatever comes meanwhile", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open();
  const topics = topicsOf(16);
  const url = `${runnel.url}/subscribe?topic=${topics[0]}&topic=t.*`;
  await using whole = await openStream(url);
  await whole.until("$ready");
  const ready = whole.lastEventId;
  for (const n of range(0, 40)) {
    await publishId(runnel.url, { topic: topics[n * 7 % 16] ?? "", data: n });
  }
  const live = await whole.messages(40);
  const events = whole.blocks.filter(({ data, event }) =>
    data !== undefined && !event.startsWith("$")
  );
  const cursors = [ready, ...events.map(({ id }) => id)];
  assert.equal(new Set(cursors).size, 41, "each event has a cursor of its own");
  for (const [n, cursor] of cursors.entries()) {
    await using rest = await openStream(`${url}&wait=0`, { headers: { "last-event-id": cursor } });
    const missed = messagesIn(await rest.rest()).map(({ data }) => data as number);
    const expected = live.slice(n).map(({ data }) => data as number);
    assert.deepEqual(missed.toSorted((a, b) => a - b), expected.toSorted((a, b) => a - b));
  }
});

Deno.test("the npm eventsource client reconnects over several Redis and misses none", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open({ RUNNEL_STREAM_SECONDS: "1" });
  const topics = topicsOf(16);
  const seen: number[] = [];
  let opened = 0;
  const source = new EventSource(`${runnel.url}/subscribe?topic=t.*`);
  try {
    source.addEventListener("$ready", () => opened++);
    source.onmessage = ({ data }) => void seen.push(JSON.parse(data).data);
    await until(() => opened === 1, { what: "the first $ready" });
    const publishSome = async (from: number) => {
      for (const n of range(from, from + 32)) {
        await publishId(runnel.url, { topic: topics[n % 16] ?? "", data: n });
      }
    };
    await publishSome(0);
    for (const from of [32, 64]) {
      await until(() => source.readyState === source.CONNECTING, { what: "the stream's end" });
      await publishSome(from);
      await until(() => seen.length >= from + 32, { timeoutMs: 20_000 });
    }
    assert.deepEqual(seen.toSorted((a, b) => a - b), range(0, 96));
    assert.ok(opened >= 3);
  } finally {
    source.close();
  }
});

Deno.test("one Redis that is down takes its topics with it, and no others; health says which", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open();
  const { url } = runnel;
  const topics = topicsOf(16);
  for (const topic of topics) await publishId(url, { topic, data: "before" });
  await using early = await openStream(`${url}/subscribe?topic=t.*`);
  await early.until("$ready");
  const [, dead] = shards.servers;
  await dead?.kill9();
  const answers = await Promise.all(topics.map((topic) => publish(url, { topic, data: "alone" })));
  const [lost, alive] = [1, 0].map((shard) => topics.filter((_, i) => i % 2 === shard));
  for (const [i, { status, body }] of answers.entries()) {
    assert.equal(status, i % 2 === 0 ? 200 : 503, `${topics[i]}: ${JSON.stringify(body)}`);
    if (status === 503) assert.equal(body.retryable, true);
  }
  assert.deepEqual(
    (await early.messages(8)).map(({ topic }) => topic).toSorted(),
    alive?.toSorted(),
  );
  const one = await send(`${url}/subscribe?topic=${lost?.[0]}`);
  assert.equal(one.status, 503);
  await using late = await openStream(`${url}/subscribe?topic=t.*`);
  await late.until("$ready");
  const health = await send(`${url}/health/ready`);
  assert.equal(health.status, 200);
  assert.equal(health.body.status, "degraded");
  assert.deepEqual(health.body.shards, [
    { shard: 1, status: "ready" },
    { shard: 2, status: "down", code: "redis_unavailable" },
  ]);
  const { body: list } = await send(`${url}/topics`);
  assert.equal((list.topics as unknown[]).length, 8);
  assert.equal(list.missing, true);
  await dead?.restart();
  await until(async () => (await send(`${url}/health/ready`)).body.status === "ready");
  for (const topic of lost ?? []) {
    await until(() => publishId(url, { topic, data: "again" }), { what: topic });
  }
  for (const stream of [early, late]) {
    assert.deepEqual(await topicsWith(stream, { data: "again", count: 8 }), lost?.toSorted());
  }
});

Deno.test("a subscription that begins while one Redis is away misses nothing that is published there later", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open();
  await using other = await shards.open();
  const topics = topicsOf(16);
  for (const topic of topics) await publishId(runnel.url, { topic, data: "old" });
  const [, away] = shards.servers;
  await away?.kill9();
  await using stream = await openStream(`${runnel.url}/subscribe?topic=t.*`);
  await stream.until("$ready");
  const cursor = stream.lastEventId;
  await away?.restart();
  const ids = await Promise.all(
    topics.map((topic) => until(() => publishId(other.url, { topic, data: "new" }))),
  );
  assert.deepEqual(await topicsWith(stream, { data: "new", count: 16 }), topics.toSorted());
  await using again = await openStream(`${other.url}/subscribe?topic=t.*&wait=0`, {
    headers: { "last-event-id": cursor },
  });
  const resumed = messagesIn(await again.rest()).filter(({ data }) => data === "new");
  assert.deepEqual(resumed.map(({ id }) => id).toSorted(), ids.toSorted());
});

Deno.test("a group over several Redis shares all their work, also while one is away", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open();
  const { url } = runnel;
  const topics = topicsOf(16);
  const group = { topic: "t.*", group: "g" };
  await pull(url, group);
  for (const [i, topic] of topics.entries()) await publishId(url, { topic, data: i });
  const first = await pull(url, { ...group, max: 100 });
  assert.deepEqual(dataOf(first).toSorted((a, b) => Number(a) - Number(b)), range(0, 16));
  const ids = first.messages.map(({ id }) => id);
  assert.ok(ids.every((id) => /^\d{1,2}\.\d+-\d+$/.test(id)), `${ids}`);
  const nacked = { ...group, ids: ids.slice(0, 8), outcome: "nack", lease: first.lease };
  assert.deepEqual((await send(`${url}/ack`, { json: nacked })).body, { done: 8, unknown: [] });
  const second = await pull(url, { ...group, max: 100 });
  assert.deepEqual(second.messages.map(({ id }) => id).toSorted(), ids.slice(0, 8).toSorted());
  assert.ok(second.messages.every(({ deliveries }) => deliveries === 2));
  const acked = { ...group, ids: [...ids, "3.1-1"] };
  const { body } = await send(`${url}/ack`, { json: acked });
  assert.deepEqual(body, { done: 16, unknown: ["3.1-1"] });
  await shards.servers[1]?.kill9();
  const waiting = pull(url, { ...group, waitMs: 5_000 });
  const id = await until(() => publishId(url, { topic: topics[2] ?? "", data: "alone" }));
  assert.deepEqual((await waiting).messages.map(({ id }) => id), [`2.${id}`]);
});

Deno.test("a pull over several Redis that is repeated gets what it got", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open();
  const topics = topicsOf(16);
  const group = { topic: "t.*", group: "g", consumer: "c" };
  await pull(runnel.url, group);
  for (const topic of topics) await publishId(runnel.url, { topic, data: topic });
  const first = await pull(runnel.url, { ...group, attempt: 1, max: 5 });
  assert.equal(first.messages.length, 5);
  const again = await pull(runnel.url, { ...group, attempt: 1, max: 5 });
  const what = ({ messages }: typeof first) =>
    messages.map(({ id, deliveries }) => `${id} ${deliveries}`);
  assert.deepEqual(what(again).toSorted(), what(first).toSorted());
  const next = await pull(runnel.url, { ...group, attempt: 2, max: 100 });
  assert.equal(next.messages.length, 11);
  const stale = await send(`${runnel.url}/pull`, { json: { ...group, attempt: 1 } });
  assert.equal(stale.body.code, "stale_attempt");
});

Deno.test("a consumer of several Redis is pushed no more than it may hold, and the next after an ack", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open();
  const topics = topicsOf(16);
  const query = "topic=t.*&group=g&max=3";
  await using stream = await openStream(`${runnel.url}/subscribe?${query}`);
  await stream.until("$ready");
  for (const topic of topics) await publishId(runnel.url, { topic, data: topic });
  const seen = new Set<string>();
  const held: string[] = [];
  while (seen.size < 16) {
    const [message] = await stream.messages(1);
    seen.add(message?.topic ?? "");
    held.push(message?.id ?? "");
    assert.ok(held.length <= 3, `${held.length} are held`);
    if (held.length < 3 && seen.size < 16) continue;
    const json = { topic: "t.*", group: "g", ids: held.splice(0, 1) };
    assert.equal((await send(`${runnel.url}/ack`, { json })).body.done, 1);
  }
});

Deno.test("an atomic batch over several partitions is refused as a whole", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open();
  const [a, b] = topicsOf(16);
  const messages = [{ topic: a, data: 1 }, { topic: b, data: 2 }];
  const { status, body } = await send(`${runnel.url}/batch`, { json: { messages, atomic: true } });
  assert.equal(status, 400, JSON.stringify(body));
  assert.equal(body.code, "invalid_request");
  for (const topic of [a, b]) {
    assert.equal((await send(`${runnel.url}/topics/${topic}`)).status, 404, "nothing was stored");
  }
});

Deno.test("a message kept for later is cancelled in whatever Redis it is", async () => {
  await using shards = await startShards(2);
  await using runnel = await shards.open();
  for (const topic of topicsOf(16).slice(0, 4)) {
    const { body } = await publish(runnel.url, { topic, data: 1, delayMs: 60_000 });
    const { token } = body.scheduled as { token: string };
    const cancel = () => send(`${runnel.url}/scheduled/${token}`, { method: "DELETE" });
    assert.deepEqual([(await cancel()).status, (await cancel()).status], [204, 404]);
  }
});
