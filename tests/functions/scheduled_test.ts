import assert from "node:assert/strict";
import { randomSource } from "../_support/random.ts";
import { startRunnel } from "../_support/fixture.ts";
import { range } from "../_support/fill.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, publish, send } from "../_support/http.ts";
import { readNdjson } from "../_support/ndjson.ts";
import { openStream } from "../_support/sse.ts";
import { until } from "../_support/until.ts";
import { pull } from "../_support/work.ts";

interface Scheduled {
  readonly token: string;
  readonly at: string;
}

const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const scheduledOf = (body: Record<string, unknown>) => body.scheduled as Scheduled;

Deno.test("POST /publish with delayMs or at answers with a token and the time, and publishes then", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  await stream.until("$ready");
  const before = Date.now();
  const { status, body } = await publish(url, { topic: "t", data: "delay", delayMs: 1_000 });
  assert.equal(status, 200);
  const { scheduled, ...rest } = body;
  assert.deepEqual(rest, { id: null, topic: "t", duplicate: false });
  const { token, at } = scheduled as Scheduled;
  assert.match(token, /^[\w-]{20,}$/);
  assert.ok(Date.parse(at) >= before + 999);
  const exact = inMs(1_400);
  const second = await publish(url, { topic: "t", data: "at", at: exact });
  assert.equal(scheduledOf(second.body).at, exact);
  assertProblem(await send(`${url}/topics/t`), { status: 404, code: "not_found" });
  const messages = await stream.messages(2);
  assert.deepEqual(messages.map(({ data }) => data), ["delay", "at"]);
  assert.ok((messages[0]?.time ?? "") >= at);
  assert.ok((messages[1]?.time ?? "") >= exact);
});

Deno.test("POST /publish publishes at once what was due in the past, whatever the zone it is written in", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  for (
    const at of ["1969-12-31T23:59:59Z", "2020-01-01T00:00:00.000Z", "2020-01-01T12:00:00+05:30"]
  ) {
    const { status, body } = await publish(url, { topic: "t", data: at, at });
    assert.equal(status, 200, JSON.stringify(body));
    assert.deepEqual((await stream.messages(1)).map(({ data }) => data), [at]);
  }
});

Deno.test("POST /publish keeps close to the time of many, while nothing else happens", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  const start = Date.now() + 300;
  const times = range(0, 21).map((n) => new Date(start + n * 60).toISOString());
  await send(`${url}/batch`, { json: times.map((at) => ({ topic: "t", data: at, at })) });
  const messages = await stream.messages(times.length);
  assert.deepEqual(messages.map(({ data }) => data), times);
  const late = messages.map(({ time, data }) => Date.parse(time) - Date.parse(String(data)))
    .sort((a, b) => a - b);
  // the middle one: a machine that is busy with other things may be late once
  assert.ok((late[10] ?? Infinity) < 250, `${late} ms late`);
});

Deno.test("scheduled messages are published in the order of their times over all topics of a partition, and of publishing within one", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=**`);
  await stream.until("$ready");
  const start = Date.now() + 700;
  const random = randomSource(7);
  const places = range(0, 300).map((n) => ({ n, draw: random() }));
  places.sort((a, b) => a.draw - b.draw);
  const json = places.map(({ n }, order) => ({
    topic: `{t}.${n % 7}`,
    data: { n, order },
    at: new Date(start + Math.floor(n / 3)).toISOString(),
  }));
  const { status } = await send(`${url}/batch`, { json });
  assert.equal(status, 200);
  const messages = await stream.messages(json.length);
  const wanted = json.toSorted((a, b) => a.at < b.at ? -1 : a.at > b.at ? 1 : 0);
  const slots = (all: readonly { data?: unknown }[]) =>
    all.map(({ data }) => Math.floor((data as { n: number }).n / 3));
  assert.deepEqual(slots(messages), slots(wanted));
  for (const topic of range(0, 7).map((n) => `{t}.${n}`)) {
    const given = messages.filter((one) => one.topic === topic).map(({ data }) => data);
    const asked = wanted.filter((one) => one.topic === topic).map(({ data }) => data);
    assert.deepEqual(given, asked);
  }
});

Deno.test("scheduled messages reach whoever subscribes to the topic or a pattern, with type, key and headers", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stack = new AsyncDisposableStack();
  const streams = await Promise.all(
    ["orders.new", "orders.*", "**"].map(async (topic) =>
      stack.use(await openStream(`${url}/subscribe?topic=${encodeURIComponent(topic)}`))
    ),
  );
  for (const stream of streams) await stream.until("$ready");
  const fields = { type: "created", key: "k", headers: { a: "b" }, data: { n: 1 } };
  await publish(url, { topic: "orders.new", ...fields, delayMs: 50 });
  for (const stream of streams) {
    const [message] = await stream.messages(1);
    const { type, key, headers, data } = message ?? {};
    assert.deepEqual({ type, key, headers, data }, fields);
    assert.ok(stream.lastEventId.includes(message?.id ?? "no id"));
  }
});

Deno.test("scheduled messages reach groups of the topic and of a pattern when they are due, not before", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const groups = ["jobs.new", "jobs.*"].map((topic) => ({ topic, group: "g" }));
  for (const group of groups) await pull(url, group);
  const at = inMs(1_000);
  await publish(url, { topic: "jobs.new", data: 1, at });
  const none = await Promise.all(groups.map((group) => pull(url, group)));
  assert.deepEqual(none.map(({ messages }) => messages), [[], []]);
  const given = await Promise.all(groups.map((group) => pull(url, { ...group, waitMs: 10_000 })));
  for (const { messages } of given) {
    assert.deepEqual(messages.map(({ data }) => data), [1]);
    assert.ok((messages[0]?.time ?? "") >= at);
  }
});

Deno.test("DELETE /scheduled/{token} cancels once, and only what is not published yet", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  const cancel = async (token: string) =>
    await send(`${url}/scheduled/${encodeURIComponent(token)}`, { method: "DELETE" });
  const first = scheduledOf((await publish(url, { topic: "t", data: "no", delayMs: 2_000 })).body);
  const second = scheduledOf((await publish(url, { topic: "t", data: "yes", at: first.at })).body);
  assert.equal((await cancel(first.token)).status, 204);
  assertProblem(await cancel(first.token), { status: 404, code: "not_found" });
  assert.deepEqual((await stream.messages(1)).map(({ data }) => data), ["yes"]);
  assertProblem(await cancel(second.token), { status: 404, code: "not_found" });
  assertProblem(await cancel("000000000000001-guessed"), { status: 404, code: "not_found" });
  const wrong = await send(`${url}/scheduled/x?y=1`, { method: "DELETE" });
  assertProblem(wrong, { status: 400, code: "invalid_request", pointer: "?y" });
});

Deno.test("the same idempotency key gives the same token, before and after the message is published", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  const message = { topic: "t", data: 1, idempotencyKey: "k", delayMs: 300 };
  const first = await publish(url, message);
  const again = await publish(url, { ...message, delayMs: 60_000 });
  assert.deepEqual(again.body, { ...first.body, duplicate: true });
  const conflict = await publish(url, { ...message, data: 2 });
  assertProblem(conflict, { status: 409, code: "idempotency_conflict" });
  await stream.messages(1);
  assert.deepEqual((await publish(url, message)).body, { ...first.body, duplicate: true });
  assert.deepEqual((await readHistory(url, "t")).map(({ data }) => data), [1]);
});

Deno.test("ttlMs of a scheduled message counts from when it is published", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  await publish(url, { topic: "t", data: "short", delayMs: 1_600, ttlMs: 1_500 });
  await publish(url, { topic: "t", data: "long", delayMs: 1_600, ttlMs: 60_000 });
  const [short] = await stream.messages(2);
  assert.equal(short?.data, "short", "it is there though its delay is longer than its life");
  await until(async () => {
    await using replay = await openStream(`${url}/subscribe?topic=t&since=earliest&wait=0`);
    const data = (await replay.rest()).filter(({ event }) => event === "message");
    return data.length === 1;
  });
});

Deno.test("POST /publish/{topic} takes delayMs and at as parameters and headers", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  const byQuery = await send(`${url}/publish/t?delayMs=100`, { body: "query" });
  assert.equal(byQuery.body.id, null);
  const at = inMs(300);
  const byHeader = await send(`${url}/publish/t`, {
    body: "header",
    headers: { "x-runnel-at": at },
  });
  assert.equal(scheduledOf(byHeader.body).at, at);
  assert.deepEqual((await stream.messages(2)).map(({ data }) => data), ["query", "header"]);
  const wrong = await send(`${url}/publish/t?at=tomorrow`, { body: "x" });
  assertProblem(wrong, { status: 400, code: "invalid_request", pointer: "?at" });
});

Deno.test("POST /batch takes scheduled messages among others, as a document, atomic and as NDJSON", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  const messages = [
    { topic: "t", data: "later", delayMs: 2_000 },
    { topic: "t", data: "now" },
    { topic: "t", data: "later", delayMs: 2_000, idempotencyKey: "k" },
    { topic: "t", data: "later", delayMs: 2_000, idempotencyKey: "k" },
  ];
  for (const atomic of [false, true]) {
    const key = `k${atomic}`;
    const json = {
      atomic,
      messages: messages.map((one) =>
        "idempotencyKey" in one ? { ...one, idempotencyKey: key } : one
      ),
    };
    const { status, body } = await send(`${url}/batch`, { json });
    assert.equal(status, 200, JSON.stringify(body));
    const results = body.results as Record<string, unknown>[];
    assert.deepEqual(results.map(({ id }) => id === null), [true, false, true, true]);
    assert.deepEqual(results[3], { ...results[2], duplicate: true });
    assert.deepEqual((await stream.messages(1)).map(({ data }) => data), ["now"]);
  }
  const response = await fetch(`${url}/batch`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: messages.slice(0, 2).map((one) => JSON.stringify(one)).join("\n"),
  });
  const lines = await readNdjson(response);
  assert.deepEqual([lines[0]?.id, lines[2]?.accepted], [null, 2]);
  const data = (await stream.messages(6)).map(({ data }) => data);
  assert.deepEqual(data.toSorted(), ["later", "later", "later", "later", "later", "now"]);
});

Deno.test("POST /batch that is atomic schedules nothing where one message cannot be stored", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await publish(url, { topic: "t", data: 0, idempotencyKey: "k" });
  const json = {
    atomic: true,
    messages: [
      { topic: "t", data: "never", delayMs: 1 },
      { topic: "t", data: "conflict", idempotencyKey: "k" },
    ],
  };
  const { status } = await send(`${url}/batch`, { json });
  assert.equal(status, 207);
  await using stream = await openStream(`${url}/subscribe?topic=t`);
  await publish(url, { topic: "t", data: "last", delayMs: 50 });
  assert.deepEqual((await stream.messages(1)).map(({ data }) => data), ["last"]);
});

Deno.test("POST /publish refuses times that cannot be honoured", async (t) => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const cases: [what: string, fields: Record<string, unknown>, pointer: string][] = [
    ["both", { delayMs: 1, at: inMs(5) }, "#/at"],
    ["no delay", { delayMs: 0 }, "#/delayMs"],
    ["a fraction", { delayMs: 1.5 }, "#/delayMs"],
    ["more than ten years", { delayMs: 11 * 365 * 86_400_000 }, "#/delayMs"],
    ["no time", { at: "soon" }, "#/at"],
    ["a time without a zone", { at: "2030-01-01T00:00:00" }, "#/at"],
    ["a number", { at: Date.now() }, "#/at"],
    ["ephemeral, delayed", { delayMs: 5, durability: "ephemeral" }, "#/delayMs"],
    ["ephemeral, at", { at: inMs(5), durability: "ephemeral" }, "#/at"],
  ];
  for (const [what, fields, pointer] of cases) {
    await t.step(what, async () => {
      const answer = await publish(url, { topic: "t", data: 1, ...fields });
      assertProblem(answer, { status: 400, code: "invalid_request", pointer });
    });
  }
});
