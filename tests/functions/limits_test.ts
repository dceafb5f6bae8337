import assert from "node:assert/strict";
import { configureKeys } from "../_support/credentials.ts";
import { refusalsIn } from "../_support/audit_log.ts";
import { type Fixture, startRunnel } from "../_support/fixture.ts";
import { assertProblem, publish, publishId, send } from "../_support/http.ts";
import { readNdjson } from "../_support/ndjson.ts";
import type { Runnel } from "../_support/open_runnel.ts";
import { sendReply, startResponder } from "../_support/responder.ts";
import { openStream } from "../_support/sse.ts";
import { until } from "../_support/until.ts";
import { publishWork, pull, tryPull } from "../_support/work.ts";

const start = (env: Record<string, string>) => startRunnel({ env });

/** Sends messages as NDJSON; gives the code of each line's error, or "". */
async function uploadCodes(url: string, messages: readonly unknown[]): Promise<string[]> {
  const response = await fetch(`${url}/batch`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: messages.map((message) => `${JSON.stringify(message)}\n`).join(""),
  });
  const lines = await readNdjson(response);
  return lines.slice(0, -1).map(({ error }) => (error as { code: string } | undefined)?.code ?? "");
}

/** What was stored of a topic. */
async function storedIn(url: string, topic: string): Promise<unknown[]> {
  const { body } = await send(`${url}/topics/${topic}/messages?limit=1000`);
  return (body.messages as { data: unknown }[]).map(({ data }) => data);
}

const lastRefusal = ({ runnel }: Fixture) => refusalsIn(runnel.logs).at(-1);

Deno.test("RUNNEL_MAX_MESSAGE_BYTES: a larger message is refused, however it comes", async () => {
  await using fixture = await start({ RUNNEL_MAX_MESSAGE_BYTES: "100" });
  const { url } = fixture;
  const fits = { topic: "t", data: "é".repeat(44) };
  const large = { topic: "t", data: "é".repeat(45) };
  const refusal = { status: 413, code: "payload_too_large", pointer: "#" };
  await publishId(url, fits);
  assertProblem(await publish(url, large), refusal);
  assert.equal(lastRefusal(fixture)?.limit, "message");
  assertProblem(await publish(url, { ...fits, key: "k" }), refusal);
  assertProblem(await send(`${url}/publish/t`, { body: large.data }), refusal);
  const { status, body } = await send(`${url}/batch`, { json: [fits, large, fits] });
  assert.equal(status, 207);
  const [, result] = body.results as { error?: { code: string } }[];
  assert.equal(result?.error?.code, "payload_too_large");
  const atomic = await send(`${url}/batch`, { json: { messages: [fits, large], atomic: true } });
  assertProblem(atomic, { status: 400, code: "invalid_request", pointer: "#/messages/1" });
  assert.deepEqual(await uploadCodes(url, [large, fits]), ["payload_too_large", ""]);
  assertProblem(await send(`${url}/request`, { json: large }), refusal);
  assert.equal((await storedIn(url, "t")).length, 4);
});

Deno.test("RUNNEL_MAX_MESSAGE_BYTES: a larger reply is refused, and a smaller one taken after it", async () => {
  await using fixture = await start({ RUNNEL_MAX_MESSAGE_BYTES: "100" });
  await using responder = await startResponder(fixture.url, {
    topic: "t",
    replies: () => ["x".repeat(100), "ok"],
  });
  const { body } = await send(`${fixture.url}/request`, { json: { topic: "t", data: 1 } });
  assert.equal(body.data, "ok");
  await until(() => responder.answers.length === 2);
  const [refused] = responder.answers;
  assert(refused);
  assertProblem(refused, { status: 413, code: "payload_too_large", pointer: "#" });
});

Deno.test("RUNNEL_MAX_HEADER_BYTES: a message with longer headers is refused", async () => {
  await using fixture = await start({ RUNNEL_MAX_HEADER_BYTES: "10" });
  const { url } = fixture;
  const fits = { topic: "t", data: 1, headers: { abc: "de", fgh: "ij" } };
  const large = { ...fits, headers: { abc: "de", fgh: "ijk" } };
  await publishId(url, fits);
  const refusal = { status: 413, code: "payload_too_large", pointer: "#/headers" };
  assertProblem(await publish(url, large), refusal);
  assert.equal(lastRefusal(fixture)?.limit, "headers");
  assertProblem(await send(`${url}/request`, { json: large }), refusal);
  const replyTo = `$inbox.${crypto.randomUUID()}`;
  const reply = await sendReply(url, { replyTo, data: 1, headers: large.headers });
  assertProblem(reply, refusal);
  assert.deepEqual(await uploadCodes(url, [fits, large]), ["", "payload_too_large"]);
  const atomic = await send(`${url}/batch`, { json: { messages: [fits, large], atomic: true } });
  const pointer = "#/messages/1/headers";
  assertProblem(atomic, { status: 400, code: "invalid_request", pointer });
});

Deno.test("RUNNEL_MAX_BATCH: a longer JSON batch is refused as a whole, NDJSON is not counted", async () => {
  await using fixture = await start({ RUNNEL_MAX_BATCH: "2" });
  const { url } = fixture;
  const messages = [1, 2, 3].map((data) => ({ topic: "t", data }));
  const refusal = { status: 413, code: "payload_too_large" };
  assertProblem(await send(`${url}/batch`, { json: messages }), { ...refusal, pointer: "#" });
  assert.equal(lastRefusal(fixture)?.limit, "batch");
  const wrapped = await send(`${url}/batch`, { json: { messages } });
  assertProblem(wrapped, { ...refusal, pointer: "#/messages" });
  assert.deepEqual(await uploadCodes(url, messages), ["", "", ""]);
  assert.equal((await send(`${url}/batch`, { json: messages.slice(1) })).status, 200);
  assert.deepEqual(await storedIn(url, "t"), [1, 2, 3, 2, 3]);
});

Deno.test("RUNNEL_MAX_TOPIC_BYTES: a longer name is refused wherever something is made by it", async () => {
  await using fixture = await start({ RUNNEL_MAX_TOPIC_BYTES: "4" });
  const { url } = fixture;
  await publishId(url, { topic: "éab", data: 1 });
  const topic = "éabc";
  const path = encodeURIComponent(topic);
  const json = { topic, data: 1 };
  const cases: [pointer: string, ReturnType<typeof send>][] = [
    ["#/topic", publish(url, json)],
    ["/{topic}", send(`${url}/publish/${path}`, { body: "x" })],
    ["#/topic", send(`${url}/request`, { json })],
    ["#/topic", tryPull(url, { topic })],
    ["?topic", send(`${url}/subscribe?topic=a&topic=${path}`)],
    ["?topic", send(`${url}/subscribe/${path}?group=g`)],
    ["/{topic}", send(`${url}/topics/${path}`, { method: "PUT", json: { maxMessages: 1 } })],
    ["/{topic}", send(`${url}/topics/${path}/groups/g`, { method: "PUT", json: {} })],
  ];
  for (const [pointer, answer] of cases) {
    assertProblem(await answer, { status: 400, code: "invalid_topic", pointer });
  }
  assert.deepEqual(await uploadCodes(url, [json, { ...json, topic: "a" }]), ["invalid_topic", ""]);
});

Deno.test("RUNNEL_MAX_TOPIC_BYTES: what is there already can be read and deleted", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "long", data: 1 });
  await using strict = await fixture.another({ env: { RUNNEL_MAX_TOPIC_BYTES: "3" } });
  assert.deepEqual(await storedIn(strict.url, "long"), [1]);
  assert.equal((await send(`${strict.url}/topics/long`, { method: "DELETE" })).status, 204);
});

Deno.test("RUNNEL_MAX_TOPICS: a subscription to more is refused", async () => {
  await using fixture = await start({ RUNNEL_MAX_TOPICS: "2" });
  const answer = await send(`${fixture.url}/subscribe?topic=a,b&topic=c`);
  assertProblem(answer, { status: 400, code: "too_many_topics" });
});

Deno.test("RUNNEL_MAX_LEASED: a consumer may not ask for more, and gets no more where it does not say", async () => {
  await using fixture = await start({ RUNNEL_MAX_LEASED: "3" });
  const { url } = fixture;
  const refusal = { status: 400, code: "invalid_request" };
  assertProblem(await tryPull(url, { max: 4 }), { ...refusal, pointer: "#/max" });
  const stream = `${url}/subscribe?topic=jobs&group=g`;
  assertProblem(await send(`${stream}&max=4`), { ...refusal, pointer: "?max" });
  await pull(url);
  await publishWork(url, 10);
  assert.equal((await pull(url, { max: 3 })).messages.length, 3);
  await using pushed = await openStream(stream);
  await pushed.messages(3);
  // what the stream might have taken, others can
  assert.equal((await pull(url, { max: 3 })).messages.length, 3);
});

const FULL = { status: 429, code: "too_many_streams" };

Deno.test("RUNNEL_MAX_STREAMS: no more streams are opened than a process may have", async () => {
  await using fixture = await start({ RUNNEL_MAX_STREAMS: "2" });
  const { url, runnel } = fixture;
  await using _first = await openStream(`${url}/subscribe?topic=a`);
  await using _second = await openStream(`${url}/subscribe?topic=a&group=g`);
  const answer = await send(`${url}/subscribe?topic=b`);
  assert.equal(assertProblem(answer, FULL).retryable, true);
  assertProblem(await send(`${url}/subscribe?topic=b&group=g`), FULL);
  const { code, limit, identity, path } = refusalsIn(runnel.logs).at(-1) ?? {};
  assert.deepEqual([code, limit, identity, path], [
    ...["too_many_streams", "streams", "everybody", "/subscribe"],
  ]);
  await using another = await fixture.another({ env: { RUNNEL_MAX_STREAMS: "1" } });
  await using _elsewhere = await openStream(`${another.url}/subscribe?topic=a`);
});

Deno.test("RUNNEL_MAX_STREAMS_PER_IDENTITY: one identity keeps no other from its streams", async () => {
  const { env, headers } = configureKeys(["ada", "bob"]);
  await using fixture = await start({ ...env, RUNNEL_MAX_STREAMS_PER_IDENTITY: "1" });
  const { url, runnel } = fixture;
  const stream = `${url}/subscribe?topic=a`;
  await using _ada = await openStream(stream, { headers: headers.ada });
  assertProblem(await send(stream, { headers: headers.ada }), FULL);
  const { limit, identity } = refusalsIn(runnel.logs).at(-1) ?? {};
  assert.deepEqual([limit, identity], ["streams of an identity", "key:ada"]);
  await using _bob = await openStream(stream, { headers: headers.bob });
});

/** Waits until no stream has a slot. */
async function untilFree({ app }: Runnel): Promise<void> {
  await until(() => app.limits.streams.taken === 0, { what: "the slots" });
}

Deno.test("a stream's slot is given back however the stream ends", async (t) => {
  await using fixture = await start({ RUNNEL_MAX_STREAMS: "1" });
  const { url, runnel } = fixture;
  await using brief = await fixture.another({ env: { RUNNEL_STREAM_SECONDS: "1" } });
  await publishId(url, { topic: "a", data: 1 });
  for (const group of ["", "&group=g&since=earliest"]) {
    const path = `/subscribe?topic=a${group}`;
    const stream = url + path;
    await t.step(`the client leaves ${group}`, async () => {
      const open = await openStream(stream);
      await open.until("$ready");
      assertProblem(await send(stream), FULL);
      await open.close();
      await untilFree(runnel);
    });
    await t.step(`its time is over ${group}`, async () => {
      await using open = await openStream(brief.url + path);
      await open.until("$bye");
      await untilFree(brief);
    });
    await t.step(`it has given all that was asked for ${group}`, async () => {
      await using open = await openStream(`${stream}&wait=0`);
      await open.until("$bye");
      await untilFree(runnel);
    });
    await t.step(`only its headers were asked for ${group}`, async () => {
      assert.equal((await send(stream, { method: "HEAD" })).status, 200);
      await untilFree(runnel);
    });
    await t.step(`what was asked for is refused ${group}`, async () => {
      assert.equal((await send(`${stream}&since=never`)).status, 400);
      await untilFree(runnel);
    });
    await t.step(`its answer is never read ${group}`, async () => {
      const response = await fetch(stream);
      await response.body?.cancel();
      await untilFree(runnel);
    });
  }
});

Deno.test("a stream's slot is given back where the stream cannot be opened, or its client leaves before", async () => {
  await using fixture = await startRunnel({
    redis: { appendonly: false },
    env: { RUNNEL_MAX_STREAMS: "1", REDIS_COMMAND_TIMEOUT_MS: "500" },
  });
  const { url, runnel, redis } = fixture;
  await publishId(url, { topic: "a", data: 1 });
  redis.pause();
  const stream = `${url}/subscribe?topic=a&since=earliest`;
  assert.equal((await send(stream)).status, 503);
  assert.equal(runnel.app.limits.streams.taken, 0);
  const controller = new AbortController();
  const leaving = assert.rejects(send(stream, { signal: controller.signal }));
  await until(() => runnel.app.limits.streams.taken === 1, { everyMs: 1 });
  controller.abort();
  await leaving;
  redis.resume();
  await untilFree(runnel);
  await using open = await openStream(stream);
  await open.messages(1);
});

Deno.test("a stream's slot is given back when the server drains", async () => {
  await using fixture = await start({ RUNNEL_MAX_STREAMS: "3" });
  const { url, runnel } = fixture;
  await using plain = await openStream(`${url}/subscribe?topic=a`);
  await using group = await openStream(`${url}/subscribe?topic=a&group=g`);
  await plain.until("$ready");
  await group.until("$ready");
  assert.equal(runnel.app.limits.streams.taken, 2);
  await runnel.app.drain();
  await untilFree(runnel);
  assert.equal((await send(`${url}/subscribe?topic=a`)).status, 503);
  assert.equal(runnel.app.limits.streams.taken, 0);
});

Deno.test("RUNNEL_MAX_OPEN_REQUESTS: no more requests wait than an identity may have at a process", async () => {
  const { env, headers } = configureKeys(["ada", "bob"]);
  await using fixture = await start({ ...env, RUNNEL_MAX_OPEN_REQUESTS: "1" });
  const { url, runnel } = fixture;
  const { requests } = runnel.app.limits;
  const ask = (by: "ada" | "bob", timeoutMs: number, signal?: AbortSignal) =>
    send(`${url}/request`, {
      json: { topic: "t", data: 1, timeoutMs },
      headers: headers[by],
      ...(signal === undefined ? {} : { signal }),
    });
  const controller = new AbortController();
  const leaving = assert.rejects(ask("ada", 60_000, controller.signal));
  await until(() => requests.taken === 1);
  const refusal = { status: 429, code: "too_many_requests" };
  assertProblem(await ask("ada", 1), refusal);
  const { limit, identity } = refusalsIn(runnel.logs).at(-1) ?? {};
  assert.deepEqual([limit, identity], ["requests of an identity", "key:ada"]);
  assertProblem(await ask("bob", 1), { status: 504, code: "no_reply" });
  controller.abort();
  await leaving;
  await until(() => requests.taken === 0, { what: "the slot" });
  assertProblem(await ask("ada", 1), { status: 504, code: "no_reply" });
  assert.equal(requests.taken, 0);
});
