import assert from "node:assert/strict";
import { dataOf, fill, messagesIn, range } from "../_support/fill.ts";
import { startRunnel } from "../_support/fixture.ts";
import { publishId, send } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";

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
  await using stream = await openStream(`${fixture.url}/subscribe?topic={t}quiet`);
  await stream.until("$ready");
  const start = stream.lastEventId;
  const id = await publishId(fixture.url, { topic: "{t}other", data: 1 });
  const deadline = performance.now() + 15_000;
  while (stream.lastEventId !== id && performance.now() < deadline) await stream.nextBlock();
  assert.equal(stream.lastEventId, id, `the cursor stayed at ${start}`);
  assert.ok(stream.blocks.some((block) => block.idOnly), "no heartbeat was a bare id");
});

Deno.test("GET /subscribe ends streams with $bye after RUNNEL_STREAM_SECONDS", async () => {
  await using fixture = await startRunnel({ env: { RUNNEL_STREAM_SECONDS: "1" } });
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t`);
  const events = await stream.rest();
  assert.deepEqual(events.map((event) => event.event), ["$ready", "$bye"]);
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
