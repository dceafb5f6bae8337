import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { type Answer, assertProblem, send } from "../_support/http.ts";
import { sendReply, startResponder } from "../_support/responder.ts";
import { openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";

const request = (url: string, json: Record<string, unknown>, signal?: AbortSignal) =>
  send(`${url}/request`, { json, ...(signal === undefined ? {} : { signal }) });

Deno.test("POST /request answers with the reply as a message", async () => {
  await using fixture = await startRunnel();
  await using responder = await startResponder(fixture.url, { topic: "sums" });
  const { status, body } = await request(fixture.url, {
    topic: "sums",
    data: [1, 2],
    type: "sum",
    key: "k",
    headers: { a: "b" },
  });
  assert.equal(status, 200, JSON.stringify(body));
  const [asked] = responder.requests;
  assert.deepEqual({ ...asked, id: "", time: "", replyTo: "" }, {
    id: "",
    topic: "sums",
    time: "",
    type: "sum",
    key: "k",
    headers: { a: "b" },
    replyTo: "",
    data: [1, 2],
  });
  assert.match(asked?.replyTo ?? "", /^\$inbox\.[0-9a-f-]{36}$/);
  assert.deepEqual({ ...body, time: "" }, {
    id: null,
    topic: asked?.replyTo,
    time: "",
    data: [1, 2],
  });
  assert.ok(Math.abs(Date.parse(String(body.time)) - Date.now()) < 60_000);
  await until(() => responder.answers.length === 1);
  assert.deepEqual([responder.answers[0]?.status, responder.answers[0]?.body], [202, {}]);
});

Deno.test("POST /reply keeps type, headers, contentType and a binary payload", async () => {
  await using fixture = await startRunnel();
  await using responder = await startResponder(fixture.url, { topic: "t", replies: () => [] });
  const asked = request(fixture.url, { topic: "t", dataBase64: "AAEC" });
  await until(() => responder.requests.length === 1);
  assert.equal(responder.requests[0]?.dataBase64, "AAEC");
  const fields = {
    type: "done",
    headers: { x: "ü" },
    contentType: "image/png",
    dataBase64: "/w==",
  };
  const replyTo = responder.requests[0]?.replyTo ?? "";
  assert.equal((await sendReply(fixture.url, { replyTo, ...fields })).status, 202);
  const { id: _id, time: _time, topic: _topic, ...rest } = (await asked).body;
  assert.deepEqual(rest, fields);
});

Deno.test("POST /request answers with as many replies as were asked for, in order, and no more are taken", async () => {
  await using fixture = await startRunnel();
  await using responder = await startResponder(fixture.url, {
    topic: "t",
    replies: () => [1, 2, 3, 4],
  });
  const { status, body } = await request(fixture.url, { topic: "t", data: null, replies: 3 });
  assert.equal(status, 200);
  const replies = body.replies as { data: number }[];
  assert.deepEqual(replies.map(({ data }) => data), [1, 2, 3]);
  await until(() => responder.answers.length === 4);
  assert.deepEqual(responder.answers.map(({ status }) => status), [202, 202, 202, 410]);
  const single = await request(fixture.url, { topic: "t", data: null, replies: 1 });
  assert.equal((single.body.replies as unknown[]).length, 1);
});

Deno.test("POST /request gets the reply of a responder at another instance, of any size", async () => {
  await using fixture = await startRunnel();
  await using other = await fixture.another();
  const large = "x".repeat(200_000);
  await using _ = await startResponder(other.url, {
    topic: "t",
    replies: ({ data }) => [data === "large" ? large : data],
  });
  for (const data of ["small", "large"]) {
    const { body } = await deadline(request(fixture.url, { topic: "t", data }), 5_000);
    assert.equal(body.data, data === "large" ? large : data);
  }
});

Deno.test("POST /request takes the first of two responders, and the other is told that it came too late", async () => {
  await using fixture = await startRunnel();
  await using one = await startResponder(fixture.url, { topic: "t", replies: () => ["one"] });
  await using two = await startResponder(fixture.url, { topic: "t", replies: () => ["two"] });
  const { status, body } = await request(fixture.url, { topic: "t", data: null });
  assert.equal(status, 200);
  await until(() => one.answers.length + two.answers.length === 2);
  const taken = [one, two].filter(({ answers }) => answers[0]?.status === 202);
  assert.equal(taken.length, 1);
  assert.equal(body.data, taken[0] === one ? "one" : "two");
  const late = taken[0] === one ? two.answers[0] : one.answers[0];
  assert.equal(late?.status, 410);
});

Deno.test("POST /request reaches one consumer of a group, which replies and acknowledges", async () => {
  await using fixture = await startRunnel();
  const pull = (waitMs: number) =>
    send(`${fixture.url}/pull`, { json: { topic: "jobs", group: "g", waitMs } });
  await pull(0);
  const asked = request(fixture.url, { topic: "jobs", data: 20 });
  const { body: pulled } = await pull(5_000);
  const [job] = pulled.messages as { id: string; replyTo: string; data: number }[];
  assert.ok(job);
  const reply = await sendReply(fixture.url, { replyTo: job.replyTo, data: job.data + 1 });
  assert.equal(reply.status, 202);
  const { body } = await send(`${fixture.url}/ack`, {
    json: { topic: "jobs", group: "g", ids: [job.id], lease: pulled.lease },
  });
  assert.deepEqual(body, { done: 1, unknown: [] });
  assert.equal((await asked).body.data, 21);
});

Deno.test("POST /request answers 504 where nobody replies, and with the replies there were", async () => {
  await using fixture = await startRunnel();
  const none = await request(fixture.url, { topic: "t", data: 1, timeoutMs: 50 });
  assertProblem(none, { status: 504, code: "no_reply" });
  assert.ok(!("replies" in none.body));
  await using responder = await startResponder(fixture.url, { topic: "t" });
  const few = await request(fixture.url, { topic: "t", data: 7, timeoutMs: 500, replies: 2 });
  const { replies } = assertProblem(few, { status: 504, code: "no_reply" });
  assert.deepEqual((replies as { data: number }[]).map(({ data }) => data), [7]);
  const replyTo = responder.requests.at(-1)?.replyTo ?? "";
  const late = await sendReply(fixture.url, { replyTo, data: "late" });
  assertProblem(late, { status: 410, code: "requester_gone" });
  assert.deepEqual(await fixture.keys(":q:"), [], "nothing is left");
});

Deno.test("POST /request publishes a message that expires when nobody waits for it any more", async () => {
  await using fixture = await startRunnel();
  await request(fixture.url, { topic: "t", data: 1, timeoutMs: 20 });
  const read = async () => {
    await using stream = await openStream(`${fixture.url}/subscribe?topic=t&since=earliest&wait=0`);
    const events: string[] = [];
    for await (const { event } of stream) events.push(event);
    return events;
  };
  // its time counts from when it was stored, a moment after the requester's
  await until(async () => (await read()).every((event) => event.startsWith("$")));
});

Deno.test("a requester that goes away frees everything at once, and the responder is told", async () => {
  await using fixture = await startRunnel();
  await using responder = await startResponder(fixture.url, { topic: "t", replies: () => [] });
  const leaving = new AbortController();
  const asked = request(fixture.url, { topic: "t", data: 1, timeoutMs: 60_000 }, leaving.signal);
  asked.catch(() => {});
  await until(() => responder.requests.length === 1);
  assert.notDeepEqual(await fixture.keys(":q:"), []);
  leaving.abort();
  await assert.rejects(asked);
  await until(async () => (await fixture.keys(":q:")).length === 0);
  const replyTo = responder.requests[0]?.replyTo ?? "";
  const late = await sendReply(fixture.url, { replyTo, data: 1 });
  assertProblem(late, { status: 410, code: "requester_gone" });
  // one that were still open would keep this from ending
  await deadline(fixture.runnel.close(), 4_000);
});

Deno.test("POST /reply takes a reply once, however often it is sent with its key", async () => {
  await using fixture = await startRunnel();
  await using responder = await startResponder(fixture.url, { topic: "t", replies: () => [] });
  const asked = request(fixture.url, { topic: "t", data: 1, replies: 2 });
  await until(() => responder.requests.length === 1);
  const replyTo = responder.requests[0]?.replyTo ?? "";
  const first = { replyTo, data: "a", idempotencyKey: "one" };
  for (let i = 0; i < 3; i++) assert.equal((await sendReply(fixture.url, first)).status, 202);
  const other = await sendReply(fixture.url, { ...first, data: "b" });
  assertProblem(other, { status: 409, code: "idempotency_conflict" });
  assert.equal((await sendReply(fixture.url, { replyTo, data: "c" })).status, 202);
  const { replies } = (await asked).body as { replies: { data: string }[] };
  assert.deepEqual(replies.map(({ data }) => data), ["a", "c"]);
  const again = await sendReply(fixture.url, first);
  assert.equal(again.status, 202, "it was taken, also where the requester is gone since");
});

Deno.test("POST /reply answers 410 where there never was a request", async () => {
  await using fixture = await startRunnel();
  const replyTo = `$inbox.${crypto.randomUUID()}`;
  const answer = await sendReply(fixture.url, { replyTo, data: 1 });
  assertProblem(answer, { status: 410, code: "requester_gone" });
});

Deno.test("POST /request and POST /reply refuse what they cannot honour, and point at it", async () => {
  await using fixture = await startRunnel();
  const good = { topic: "t", data: 1 };
  const requests: [Record<string, unknown>, string][] = [
    [{ ...good, topic: "$dead.t" }, "#/topic"],
    [{ ...good, timeoutMs: 0 }, "#/timeoutMs"],
    [{ ...good, timeoutMs: 600_001 }, "#/timeoutMs"],
    [{ ...good, replies: 0 }, "#/replies"],
    [{ ...good, replies: 1_001 }, "#/replies"],
    [{ ...good, replyTo: "t" }, "#/replyTo"],
    [{ ...good, ttlMs: 5 }, "#/ttlMs"],
    [{ ...good, idempotencyKey: "k" }, "#/idempotencyKey"],
    [{ topic: "t" }, "#/data"],
    [{ ...good, dataBase64: "AA==" }, "#/data"],
  ];
  for (const [json, pointer] of requests) {
    const answer = await request(fixture.url, json);
    assertProblem(answer, { status: 400, code: "invalid_request", pointer });
  }
  const replyTo = `$inbox.${crypto.randomUUID()}`;
  const replies: [Record<string, unknown>, string][] = [
    [{ data: 1 }, "#/replyTo"],
    [{ replyTo: "t", data: 1 }, "#/replyTo"],
    [{ replyTo: `${replyTo}|x`, data: 1 }, "#/replyTo"],
    [{ replyTo }, "#/data"],
    [{ replyTo, data: 1, topic: "t" }, "#/topic"],
    [{ replyTo, data: 1, type: "$gap" }, "#/type"],
    [{ replyTo, data: 1, key: "k" }, "#/key"],
  ];
  for (const [json, pointer] of replies) {
    const answer = await send(`${fixture.url}/reply`, { json });
    assertProblem(answer, { status: 400, code: "invalid_request", pointer });
  }
});

Deno.test("requests that wait are answered 503 when the server shuts down", async () => {
  await using fixture = await startRunnel();
  await using responder = await startResponder(fixture.url, { topic: "t", replies: () => [] });
  const asked: Promise<Answer>[] = [];
  for (let i = 0; i < 5; i++) asked.push(request(fixture.url, { topic: "t", data: i }));
  await until(() => responder.requests.length === 5);
  const closed = fixture.runnel.close();
  for (const answer of await Promise.all(asked)) {
    assertProblem(answer, { status: 503, code: "shutting_down" });
  }
  await closed;
  assert.deepEqual(await fixture.keys(":q:"), []);
});
