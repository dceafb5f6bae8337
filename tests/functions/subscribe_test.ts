import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { publish, publishId, send } from "../_support/http.ts";
import { openStream, type SseEvent } from "../_support/sse.ts";

/** What stands in the messages of a stream that ends by itself. */
async function dataOf(url: string, headers: Record<string, string> = {}): Promise<unknown[]> {
  await using stream = await openStream(url, { headers });
  return messagesIn(await stream.rest()).map(({ data }) => data);
}

function messagesIn(events: readonly SseEvent[]): { id: string; topic: string; data: unknown }[] {
  return events.filter((event) => !event.event.startsWith("$"))
    .map((event) => JSON.parse(event.data));
}

interface Stored {
  readonly id: string;
  readonly topic: string;
  readonly data: number;
}

/**
 * Publishes a batch that spreads over the topics and returns it in the order of its ids, which is the only order there
 * is across topics.
 */
async function fill(url: string, topics: readonly string[], count: number): Promise<Stored[]> {
  const json = range(0, count).map((data) => ({ topic: topics[data % topics.length] ?? "", data }));
  const { body } = await send(`${url}/batch`, { json });
  const { results } = body as unknown as { results: { id: string }[] };
  const stored = json.map((message, n) => ({ ...message, id: results[n]?.id ?? "" }));
  return stored.sort((a, b) => compareIds(a.id, b.id));
}

function compareIds(a: string, b: string): number {
  const [ams = 0n, aseq = 0n] = a.split("-").map(BigInt);
  const [bms = 0n, bseq = 0n] = b.split("-").map(BigInt);
  return Number(ams - bms) || Number(aseq - bseq);
}

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

Deno.test("GET /subscribe gives what is published from then on, in order", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "t", data: "before" });
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t`);
  assert.match(stream.response.headers.get("content-type") ?? "", /^text\/event-stream/);
  assert.equal(stream.response.headers.get("cache-control"), "no-cache, no-transform");
  const [ready] = await stream.take(1);
  assert.equal(ready?.event, "$ready");
  const ids: string[] = [];
  for (let n = 0; n < 50; n++) ids.push(await publishId(fixture.url, { topic: "t", data: n }));
  const messages = await stream.messages(50);
  assert.deepEqual(messages.map(({ data }) => data), range(0, 50));
  assert.deepEqual(messages.map(({ id }) => id), ids);
  assert.equal(stream.lastEventId, ids.at(-1));
});

Deno.test("GET /subscribe begins with a retry time and $ready with subscription and cursor", async () => {
  await using fixture = await startRunnel();
  const id = await publishId(fixture.url, { topic: "t", data: 0 });
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t`);
  const events = await stream.until("$ready");
  const { subscription, cursor } = JSON.parse(events.at(-1)?.data ?? "");
  assert.equal(typeof subscription, "string");
  assert.equal(cursor, id);
  assert.equal(stream.lastEventId, id);
  assert.ok(stream.blocks.some((block) => (block.retry ?? 0) > 0), "no retry field");
});

Deno.test("GET /subscribe/{topic} takes the topic from the path", async () => {
  await using fixture = await startRunnel();
  const topic = "a/b ü".replace(" ", ":");
  await publishId(fixture.url, { topic, data: 1 });
  const path = `subscribe/${encodeURIComponent(topic)}?since=earliest&wait=0`;
  assert.deepEqual(await dataOf(`${fixture.url}/${path}`), [1]);
});

Deno.test("GET /subscribe gives several topics and patterns in one order, replayed and live", async () => {
  await using fixture = await startRunnel();
  const topics = ["a", "b.x", "b.y", "b.x.z", "c/d"];
  const matching = (stored: Stored[]) => stored.filter(({ topic }) => topic !== "b.x.z");
  const before = matching(await fill(fixture.url, topics, 50));
  const query = "topic=a&topic=b.*&topic=c/**&since=earliest";
  await using stream = await openStream(`${fixture.url}/subscribe?${query}`);
  const replayed = await stream.messages(before.length);
  assert.deepEqual(replayed.map(({ id, topic, data }) => ({ topic, data, id })), before);
  for (let round = 0; round < 3; round++) {
    const after = matching(await fill(fixture.url, topics, 50));
    const live = await stream.messages(after.length);
    assert.deepEqual(live.map(({ id, topic, data }) => ({ topic, data, id })), after);
  }
});

Deno.test("GET /subscribe takes topics separated by commas too", async () => {
  await using fixture = await startRunnel();
  await fill(fixture.url, ["a", "b", "c"], 6);
  const url = `${fixture.url}/subscribe?topic=a,b&since=earliest&wait=0`;
  assert.deepEqual((await dataOf(url)).toSorted(), [0, 1, 3, 4]);
});

Deno.test("GET /subscribe gives a topic that begins after its pattern was subscribed", async () => {
  await using fixture = await startRunnel();
  await using stream = await openStream(`${fixture.url}/subscribe?topic=new.*`);
  await stream.until("$ready");
  for (let n = 0; n < 10; n++) await publishId(fixture.url, { topic: `new.${n}`, data: n });
  const messages = await stream.messages(10);
  assert.deepEqual(messages.map(({ data }) => data), range(0, 10));
});

Deno.test("GET /subscribe gives a message once where several patterns match it", async () => {
  await using fixture = await startRunnel();
  await using stream = await openStream(`${fixture.url}/subscribe?topic=a.b&topic=a.*&topic=**`);
  await stream.until("$ready");
  for (let n = 0; n < 5; n++) await publishId(fixture.url, { topic: "a.b", data: n });
  assert.deepEqual((await stream.messages(5)).map(({ data }) => data), range(0, 5));
});

Deno.test("GET /subscribe matches wildcards as they are defined, and never a leading $", async () => {
  await using fixture = await startRunnel();
  await fill(fixture.url, ["a.b", "a.b.c", "a/b", "a:b", "ab", "a."], 6);
  const matched = async (pattern: string) => {
    const query = `topic=${encodeURIComponent(pattern)}&since=earliest&wait=0`;
    return (await dataOf(`${fixture.url}/subscribe?${query}`)).toSorted();
  };
  assert.deepEqual(await matched("a.*"), [0]);
  assert.deepEqual(await matched("a.**"), [0, 1, 5]);
  assert.deepEqual(await matched("a*"), [4]);
  assert.deepEqual(await matched("*"), [4]);
  assert.deepEqual(await matched("**"), range(0, 6));
  assert.deepEqual(await matched("*/*"), [2]);
});

Deno.test("GET /subscribe starts where since says", async (t) => {
  await using fixture = await startRunnel();
  const stored = await fill(fixture.url, ["t", "u"], 10);
  const from = (n: number) => stored.slice(n).map(({ data }) => data);
  const cases: [string, unknown[]][] = [
    ["latest", []],
    ["earliest", from(0)],
    ["last:3", from(7)],
    ["last:100", from(0)],
    ["last:0", []],
    [stored[3]?.id ?? "", from(4)],
    [stored[9]?.id ?? "", []],
    ["0-0", from(0)],
    ["10m", from(0)],
    ["1d", from(0)],
    [new Date(Date.now() - 60_000).toISOString(), from(0)],
    ["2099-01-01T00:00:00Z", []],
    ["2020-01-01", from(0)],
  ];
  for (const [since, expected] of cases) {
    await t.step(since, async () => {
      const query = new URLSearchParams([["topic", "t"], ["topic", "u"], ["since", since]]);
      const url = `${fixture.url}/subscribe?${query}&wait=0`;
      assert.deepEqual(await dataOf(url), expected);
    });
  }
});

Deno.test("GET /subscribe resumes after Last-Event-ID, which wins over lastEventId and since", async () => {
  await using fixture = await startRunnel();
  const ids = (await fill(fixture.url, ["t"], 10)).map(({ id }) => id);
  const url = `${fixture.url}/subscribe?topic=t&since=earliest&wait=0`;
  const header = { "last-event-id": String(ids[6]) };
  assert.deepEqual(await dataOf(`${url}&lastEventId=${ids[2]}`, header), [7, 8, 9]);
  assert.deepEqual(await dataOf(`${url}&lastEventId=${ids[2]}`), range(3, 10));
});

Deno.test("GET /subscribe resumes right from $ready, before any message", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "t", data: "old" });
  const url = `${fixture.url}/subscribe?topic=t&topic=new`;
  let cursor: string;
  {
    await using stream = await openStream(url);
    await stream.until("$ready");
    cursor = stream.lastEventId;
  }
  const stored = await fill(fixture.url, ["t", "new"], 4);
  const resumed = await dataOf(`${url}&wait=0`, { "last-event-id": cursor });
  assert.deepEqual(resumed, stored.map(({ data }) => data));
});

Deno.test("GET /subscribe resumes exactly between any two events of interleaved batches", async () => {
  await using fixture = await startRunnel();
  const topics = ["a", "b.1", "b.2", "c"];
  await fill(fixture.url, topics, 24);
  const url = `${fixture.url}/subscribe?topic=a&topic=b.*&since=earliest&wait=0`;
  await using whole = await openStream(url);
  const all = messagesIn(await whole.rest());
  assert.equal(all.length, 18);
  for (let n = 0; n < all.length; n++) {
    const rest = await dataOf(url, { "last-event-id": all[n]?.id ?? "" });
    assert.deepEqual(rest, all.slice(n + 1).map(({ data }) => data));
  }
});

Deno.test("GET /subscribe ends after limit messages with $bye", async () => {
  await using fixture = await startRunnel();
  await fill(fixture.url, ["t"], 4);
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t&since=earliest&limit=6`);
  assert.deepEqual((await stream.messages(4)).map(({ data }) => data), range(0, 4));
  await fill(fixture.url, ["t"], 4);
  const events = await stream.rest();
  assert.deepEqual(messagesIn(events).map(({ data }) => data), [0, 1]);
  const bye = events.at(-1);
  assert.equal(bye?.event, "$bye");
  const { reason, retryMs } = JSON.parse(bye?.data ?? "");
  assert.deepEqual([typeof reason, typeof retryMs], ["string", "number"]);
  assert.equal(bye?.retry, retryMs, "EventSource obeys only the retry field");
});

Deno.test("GET /subscribe with wait=0 ends when caught up, also on a topic that is not there", async () => {
  await using fixture = await startRunnel();
  const count = 2_500;
  await fill(fixture.url, ["t"], 1_250);
  await fill(fixture.url, ["t"], 1_250);
  const all = await dataOf(`${fixture.url}/subscribe?topic=t&since=earliest&wait=0`);
  assert.equal(all.length, count);
  assert.deepEqual(all, [...range(0, 1_250), ...range(0, 1_250)]);
  assert.deepEqual(await dataOf(`${fixture.url}/subscribe?topic=none&since=earliest&wait=0`), []);
});

Deno.test("GET /subscribe names events by type and leaves untyped ones to onmessage", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "t", data: 1 });
  await publishId(fixture.url, { topic: "t", data: 2, type: "order.shipped ✓" });
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t&since=earliest&wait=0`);
  const events = (await stream.rest()).filter((event) => !event.event.startsWith("$"));
  assert.deepEqual(events.map((event) => event.event), ["message", "order.shipped ✓"]);
});

Deno.test("GET /subscribe with format=data gives the payload alone", async () => {
  await using fixture = await startRunnel();
  const payloads = ["plain", "two\nlines\r\nthree\rfour", "", { a: [1] }, 5, null, " lead"];
  for (const data of payloads) await publishId(fixture.url, { topic: "t", data });
  const query = "topic=t&since=earliest&wait=0&format=data";
  await using stream = await openStream(`${fixture.url}/subscribe?${query}`);
  const events = (await stream.rest()).filter((event) => !event.event.startsWith("$"));
  assert.deepEqual(events.map((event) => event.data), [
    "plain",
    "two\nlines\nthree\nfour",
    "",
    '{"a":[1]}',
    "5",
    "null",
    " lead",
  ]);
});

Deno.test("GET /subscribe sends heartbeats that move the cursor", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_HEARTBEAT_MS: "200" } });
  await using stream = await openStream(`${fixture.url}/subscribe?topic=quiet`);
  await stream.until("$ready");
  const start = stream.lastEventId;
  const id = await publishId(fixture.url, { topic: "other", data: 1 });
  const deadline = performance.now() + 15_000;
  while (stream.lastEventId !== id && performance.now() < deadline) await stream.nextBlock();
  assert.equal(stream.lastEventId, id, `the cursor stayed at ${start}`);
  assert.ok(stream.blocks.some((block) => block.idOnly), "no heartbeat was a bare id");
});

Deno.test("GET /subscribe announces what retention took as $gap before what is left", async () => {
  await using fixture = await startRunnel();
  const ids = (await fill(fixture.url, ["t"], 10)).map(({ id }) => id);
  const change = await send(`${fixture.url}/topics/t`, { method: "PUT", json: { maxMessages: 4 } });
  assert.equal(change.status, 200, JSON.stringify(change.body));
  await publishId(fixture.url, { topic: "t", data: 10 });
  const url = `${fixture.url}/subscribe?topic=t&wait=0`;
  await using stream = await openStream(`${url}&lastEventId=${ids[2]}`);
  const events = await stream.rest();
  const names = events.map((event) => event.event);
  assert.deepEqual(names, ["$ready", "$gap", ...Array(4).fill("message"), "$bye"]);
  const gap = JSON.parse(events[1]?.data ?? "");
  assert.equal(gap.topic, "t");
  assert.equal(gap.after, ids[2]);
  assert.equal(gap.before, ids[7]);
  assert.equal(typeof gap.reason, "string");
  assert.deepEqual(messagesIn(events).map(({ data }) => data), [7, 8, 9, 10]);
  await using untouched = await openStream(`${url}&lastEventId=${ids[6]}`);
  assert.ok((await untouched.rest()).every((event) => event.event !== "$gap"));
});

Deno.test("GET /subscribe ends streams with $bye after RUNNEL_STREAM_SECONDS", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_STREAM_SECONDS: "1" } });
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t`);
  const events = await stream.rest();
  assert.deepEqual(events.map((event) => event.event), ["$ready", "$bye"]);
});

Deno.test("GET /subscribe gives 100 subscribers of different topics each their own", async () => {
  await using fixture = await startRunnel();
  await using stack = new AsyncDisposableStack();
  const streams = await Promise.all(
    range(0, 100).map(async (n) =>
      stack.use(await openStream(`${fixture.url}/subscribe?topic=t.${n}`))
    ),
  );
  await Promise.all(streams.map((stream) => stream.until("$ready")));
  await fill(fixture.url, range(0, 100).map((n) => `t.${n}`), 300);
  for (const [n, stream] of streams.entries()) {
    const messages = await stream.messages(3);
    assert.deepEqual(messages.map(({ data }) => data), [n, n + 100, n + 200]);
  }
});

Deno.test("GET /subscribe keeps a reader that stopped reading, without loss, while others go on", async () => {
  await using fixture = await startRunnel();
  await using slow = await openStream(`${fixture.url}/subscribe?topic=t`);
  await using fast = await openStream(`${fixture.url}/subscribe?topic=t`, { timeoutMs: 20_000 });
  await Promise.all([slow.until("$ready"), fast.until("$ready")]);
  const count = 3_000;
  const padding = "x".repeat(6_000);
  const reading = fast.messages(count);
  for (let n = 0; n < count; n += 100) {
    const messages = range(n, n + 100).map((data) => ({ topic: "t", data, headers: {}, key: "k" }));
    const padded = messages.map((message) => ({ ...message, data: [message.data, padding] }));
    const { status } = await send(`${fixture.url}/batch`, { json: padded });
    assert.equal(status, 200);
  }
  const order = (messages: { data?: unknown }[]) =>
    messages.map(({ data }) => (data as [number])[0]);
  assert.deepEqual(order(await reading), range(0, count));
  assert.deepEqual(order(await slow.messages(count)), range(0, count));
});

Deno.test("GET /subscribe refuses an Accept that it cannot serve", async () => {
  await using fixture = await startRunnel();
  const { status, body } = await send(`${fixture.url}/subscribe?topic=t`, {
    headers: { accept: "image/png" },
  });
  assert.deepEqual([status, body.code], [406, "not_acceptable"]);
});

Deno.test("GET /subscribe lets a client publish on the same connection pool while it streams", async () => {
  await using fixture = await startRunnel();
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t`);
  await stream.until("$ready");
  const { status } = await publish(fixture.url, { topic: "t", data: 1 });
  assert.equal(status, 200);
  assert.equal((await stream.messages(1)).length, 1);
});
