import assert from "node:assert/strict";
import { dataOf, fill, range, type Stored } from "../_support/fill.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publish, publishId } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";

Deno.test("GET /subscribe gives what is published from then on, in order", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "t", data: "before" });
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t`);
  assert.match(stream.response.headers.get("content-type") ?? "", /^text\/event-stream/);
  assert.equal(stream.response.headers.get("cache-control"), "no-cache, no-store, no-transform");
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

Deno.test("GET /subscribe gives several topics and patterns of a partition in one order, replayed and live", async () => {
  await using fixture = await startRunnel();
  const topics = ["{s}a", "{s}b.x", "{s}b.y", "{s}b.x.z", "{s}c/d"];
  const matching = (stored: Stored[]) => stored.filter(({ topic }) => topic !== "{s}b.x.z");
  const before = matching(await fill(fixture.url, topics, 50));
  const query = "topic={s}a&topic={s}b.*&topic={s}c/**&since=earliest";
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

Deno.test("GET /subscribe lets a client publish on the same connection pool while it streams", async () => {
  await using fixture = await startRunnel();
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t`);
  await stream.until("$ready");
  const { status } = await publish(fixture.url, { topic: "t", data: 1 });
  assert.equal(status, 200);
  assert.equal((await stream.messages(1)).length, 1);
});
