import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { assertProblem, publish, publishId, send } from "../_support/http.ts";
import { ndjsonLines, readNdjson } from "../_support/ndjson.ts";
import { type EventStream, openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";
import { ack, groupsOf, publishWork, pull, putGroup, type Work } from "../_support/work.ts";

function openWork(url: string, query = ""): Promise<EventStream> {
  return openStream(`${url}/subscribe?topic=jobs&group=g${query}`);
}

async function take(stream: EventStream, count: number): Promise<Work[]> {
  // what the stream's parser knows of a message, and what a lease adds
  return await stream.messages(count) as unknown as Work[];
}

Deno.test("GET /subscribe with a group pushes each message to one consumer, with its lease", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openWork(url, "&consumer=a&leaseMs=60000");
  const [ready] = await stream.until("$ready");
  const { subscription, ...who } = JSON.parse(ready?.data ?? "");
  assert.equal(typeof subscription, "string");
  assert.deepEqual(who, { group: "g", consumer: "a" });
  const id = await publishId(url, { topic: "jobs", data: 1, type: "order" });
  const event = await stream.next();
  assert.deepEqual([event?.event, event?.id], ["order", id]);
  const message: Work = JSON.parse(event?.data ?? "");
  assert.deepEqual([message.id, message.data, message.deliveries], [id, 1, 1]);
  const left = Date.parse(message.leaseUntil ?? "") - Date.now();
  assert.ok(left > 30_000 && left < 61_000);
  const nack = await ack(url, [id], { outcome: "nack", lease: message.lease });
  assert.equal(nack.done, 1);
  assert.deepEqual((await take(stream, 1)).map(({ deliveries }) => deliveries), [2]);
});

Deno.test("GET /subscribe with a group is ready when nothing published from then on is missed", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  for (let i = 0; i < 10; i++) {
    const query = `topic=t${i}&group=g&limit=1`;
    await using stream = await openStream(`${url}/subscribe?${query}`);
    await stream.until("$ready");
    await publishId(url, { topic: `t${i}`, data: i });
    assert.deepEqual((await stream.messages(1)).map(({ data }) => data), [i]);
  }
});

Deno.test("GET /subscribe with a group holds back at max until an ack, on whatever instance, gives room", async () => {
  await using fixture = await startRunnel();
  await using other = await fixture.another();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=jobs&group=g&max=3`, {
    timeoutMs: 5_000,
  });
  await stream.until("$ready");
  const ids = await publishWork(url, 10);
  assert.deepEqual((await take(stream, 3)).map(({ id }) => id), ids.slice(0, 3));
  const pending = async () => (await groupsOf(url))[0]?.pending;
  assert.equal(await pending(), 3);
  await ack(other.url, ids.slice(0, 1));
  assert.deepEqual((await take(stream, 1)).map(({ id }) => id), ids.slice(3, 4));
  assert.equal(await pending(), 3);
  await ack(other.url, ids.slice(1, 4));
  assert.deepEqual((await take(stream, 3)).map(({ id }) => id), ids.slice(4, 7));
});

Deno.test("GET /subscribe with a group shares the work among streams and pulls", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using one = await openWork(url, "&max=40");
  await using two = await openWork(url, "&max=40");
  await Promise.all([one.until("$ready"), two.until("$ready")]);
  await publishWork(url, 100);
  const [a, b] = await Promise.all([take(one, 40), take(two, 40)]);
  const rest = await pull(url, { max: 100 });
  const data = [...a, ...b, ...rest.messages].map((message) => Number(message.data));
  assert.deepEqual(data.toSorted((x, y) => x - y), Array.from({ length: 100 }, (_, i) => i));
});

Deno.test("GET /subscribe with a group gives again what its own leases let run out", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openWork(url, "&max=1&leaseMs=200");
  await stream.until("$ready");
  const [id = ""] = await publishWork(url, 1);
  const given = await take(stream, 2);
  assert.deepEqual(given.map((one) => [one.id, one.deliveries]), [[id, 1], [id, 2]]);
  await ack(url, [id]);
});

Deno.test("GET /subscribe with a group leaves what a client was sent leased until that runs out", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const stream = await openWork(url, "&leaseMs=700");
  await stream.until("$ready");
  const [id = ""] = await publishWork(url, 1);
  await take(stream, 1);
  await stream.close();
  assert.deepEqual((await pull(url, { waitMs: 200 })).messages, []);
  const { messages } = await deadline(pull(url, { waitMs: 10_000 }), 10_000);
  assert.deepEqual(messages.map((one) => [one.id, one.deliveries]), [[id, 2]]);
});

Deno.test("GET /subscribe with a group ends after limit, when there is nothing due, or in time, with $bye", async (t) => {
  await using fixture = await startRunnel({ env: { RUNNEL_STREAM_SECONDS: "1" } });
  const { url } = fixture;
  await putGroup(url);
  await publishWork(url, 5);
  const reasonOf = async (query: string) => {
    await using stream = await openWork(url, query);
    const events = await stream.rest();
    const { reason } = JSON.parse(events.at(-1)?.data ?? "");
    return [events.filter(({ event }) => event === "message").length, reason];
  };
  await t.step("limit", async () => {
    assert.deepEqual(await reasonOf("&limit=2"), [2, "limit"]);
  });
  await t.step("wait=0", async () => {
    assert.deepEqual(await reasonOf("&wait=0"), [3, "caught_up"]);
  });
  await t.step("time", async () => {
    assert.deepEqual(await reasonOf(""), [0, "time"]);
  });
});

Deno.test("GET /subscribe with a group as NDJSON, with heartbeats that carry no cursor", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_HEARTBEAT_MS: "100" } });
  const { url } = fixture;
  await putGroup(url);
  await publishWork(url, 1);
  const headers = { accept: "application/x-ndjson" };
  const request = `${url}/subscribe?topic=jobs&group=g`;
  const lines = await readNdjson(await fetch(`${request}&wait=0`, { headers }));
  const told = lines.filter(({ event }) => event !== "$heartbeat");
  assert.deepEqual(told.map(({ event, data }) => event ?? data), ["$ready", 0, "$bye"]);
  assert.deepEqual([told[1]?.deliveries, typeof told[1]?.lease], [1, "string"]);
  for await (const line of ndjsonLines(await fetch(request, { headers }))) {
    if (line.event === "$ready") continue;
    assert.deepEqual(line, { event: "$heartbeat" });
    break;
  }
});

Deno.test("GET /subscribe with a group over a pattern", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await publishWork(url, 1, "jobs.old");
  const query = "topic=jobs.*&group=g&since=earliest";
  await using stream = await openStream(`${url}/subscribe?${query}`);
  assert.deepEqual((await stream.messages(1)).map(({ topic }) => topic), ["jobs.old"]);
  await publishId(url, { topic: "jobs.new", data: 1 });
  const [message] = await take(stream, 1);
  assert.equal(message?.topic, "jobs.new");
  assert.equal((await ack(url, [message?.id ?? ""], { topic: "jobs.*" })).done, 1);
});

Deno.test("GET /subscribe with a group pays no heed to a browser's Last-Event-ID", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  const [first = ""] = await publishWork(url, 2);
  const headers = { "last-event-id": first };
  const request = `${url}/subscribe?topic=jobs&group=g&wait=0`;
  await using stream = await openStream(request, { headers });
  assert.deepEqual((await stream.messages(2)).map(({ data }) => data), [0, 1]);
});

Deno.test("GET /subscribe with a group ends with $bye when the server shuts down", async () => {
  await using fixture = await startRunnel();
  await using stream = await openWork(fixture.url);
  await stream.until("$ready");
  const [events] = await Promise.all([stream.rest(), fixture.runnel.app.drain()]);
  assert.deepEqual(events.map(({ event }) => event), ["$bye"]);
});

Deno.test("GET /subscribe with a group leases nothing more for a client that does not read", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_MAX_BODY_BYTES: "8000000" } });
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=jobs&group=g&max=1000`);
  await stream.until("$ready");
  const data = "x".repeat(1 << 20);
  for (let i = 0; i < 40; i++) await publish(url, { topic: "jobs", data });
  await until(async () => ((await groupsOf(url))[0]?.pending ?? 0) > 0);
  const [group] = await groupsOf(url);
  assert.ok(group !== undefined && group.lag > 10, `${group?.lag} of 40 are left for others`);
  assert.equal((await take(stream, 40)).length, 40, "and it gets them when it reads");
});

Deno.test("GET /subscribe refuses what a group cannot honour, and group parameters without a group", async (t) => {
  await using fixture = await startRunnel();
  const cases: [string, string, string, string][] = [
    ["two topics", "topic=a&topic=b&group=g", "invalid_request", "?topic"],
    ["no topic", "group=g", "invalid_topic", "?topic"],
    ["a group that is none", "topic=a&group=a%7Cb", "invalid_group", "?group"],
    ["a consumer that is none", "topic=a&group=g&consumer=", "invalid_group", "?consumer"],
    ["lastEventId", "topic=a&group=g&lastEventId=1-1", "invalid_request", "?lastEventId"],
    ["conflate", "topic=a&group=g&conflate=1", "invalid_request", "?conflate"],
    ["format=data", "topic=a&group=g&format=data", "invalid_request", "?format"],
    ["max=0", "topic=a&group=g&max=0", "invalid_request", "?max"],
    ["a lease of 99 ms", "topic=a&group=g&leaseMs=99", "invalid_request", "?leaseMs"],
    ["a start that is none", "topic=a&group=g&since=x", "invalid_cursor", "?since"],
    ["max without a group", "topic=a&max=1", "invalid_request", "?max"],
    ["a consumer without a group", "topic=a&consumer=c", "invalid_request", "?consumer"],
    ["leaseMs without a group", "topic=a&leaseMs=100", "invalid_request", "?leaseMs"],
  ];
  for (const [name, query, code, pointer] of cases) {
    await t.step(name, async () => {
      const answer = await send(`${fixture.url}/subscribe?${query}`);
      assertProblem(answer, { status: 400, code, pointer });
    });
  }
});
