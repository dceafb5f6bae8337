import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, publish, publishId, send } from "../_support/http.ts";
import { openStream } from "../_support/sse.ts";

const ID = /^\d{13,}-\d+$/;

Deno.test("POST /publish stores an envelope and answers its id, topic and duplicate", async () => {
  await using fixture = await startRunnel();
  const answer = await publish(fixture.url, { topic: "orders.1", data: { total: 1.5 } });
  assert.equal(answer.status, 200);
  assert.match(String(answer.body.id), ID);
  assert.deepEqual(answer.body, { id: answer.body.id, topic: "orders.1", duplicate: false });
  assert.match(answer.headers.get("content-type") ?? "", /^application\/json/);
  const [message] = await readHistory(fixture.url, "orders.1");
  assert.deepEqual({ ...message, time: "" }, {
    id: answer.body.id,
    topic: "orders.1",
    time: "",
    data: { total: 1.5 },
  });
  assert.ok(Math.abs(Date.parse(message?.time ?? "") - Date.now()) < 60_000, message?.time);
});

Deno.test("POST /publish keeps type, key, headers and contentType", async () => {
  await using fixture = await startRunnel();
  const fields = {
    type: "order.shipped",
    key: "c-1",
    headers: { "trace-id": "a1", "x-Größe": "ü" },
    contentType: "text/markdown",
  };
  await publishId(fixture.url, { topic: "t", data: "# hi", ...fields });
  const [message] = await readHistory(fixture.url, "t");
  const { id: _id, time: _time, ...rest } = message ?? {};
  assert.deepEqual(rest, { topic: "t", data: "# hi", ...fields });
});

Deno.test("POST /publish keeps every JSON value and any Unicode as it is", async () => {
  await using fixture = await startRunnel();
  const values = [
    null,
    true,
    0,
    -1.5e-7,
    "",
    'a\u0000b\r\n\t"\\',
    "𝒳 é 漢 🏳️‍🌈 \u2028\u2029",
    [],
    {},
    { "": [{ ü: null }], __proto__x: 1 },
    9007199254740991,
  ];
  for (const data of values) await publishId(fixture.url, { topic: "værdi/漢.🌍", data });
  const messages = await readHistory(fixture.url, "værdi/漢.🌍");
  assert.deepEqual(messages.map((message) => message.data), values);
});

Deno.test("POST /publish gives rising ids across the topics of a partition", async () => {
  await using fixture = await startRunnel();
  const ids: string[] = [];
  for (let n = 0; n < 20; n++) {
    ids.push(await publishId(fixture.url, { topic: `{t}${n % 3}`, data: n }));
  }
  const numbers = ids.map((id) => id.split("-").map(BigInt));
  const sorted = numbers.toSorted((a, b) => compare(a, b));
  assert.deepEqual(numbers, sorted);
  assert.equal(new Set(ids).size, 20);
});

function compare([ams = 0n, aseq = 0n]: bigint[], [bms = 0n, bseq = 0n]: bigint[]): number {
  return Number(ams - bms) || Number(aseq - bseq);
}

Deno.test("POST /publish with dataBase64 stores binary data", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, {
    topic: "bin",
    data: undefined,
    dataBase64: "AP8=",
    contentType: "image/png",
  });
  const [message] = await readHistory(fixture.url, "bin");
  assert.equal(message?.dataBase64, "AP8=");
  assert.equal(message?.contentType, "image/png");
  assert.equal("data" in (message ?? {}), false);
});

Deno.test("POST /publish stores a repeated idempotency key once, by field as by header", async () => {
  await using fixture = await startRunnel();
  const first = await publish(fixture.url, { topic: "t", data: 1, idempotencyKey: "k" });
  const second = await publish(fixture.url, { topic: "t", data: 1, idempotencyKey: "k" });
  const third = await publish(fixture.url, { topic: "t", data: 1 }, {
    headers: { "idempotency-key": "k" },
  });
  assert.deepEqual(first.body.duplicate, false);
  for (const again of [second, third]) {
    assert.deepEqual(again.body, { ...first.body, duplicate: true });
  }
  assert.equal((await readHistory(fixture.url, "t")).length, 1);
});

Deno.test("POST /publish reads an Idempotency-Key in UTF-8, and refuses two that differ", async () => {
  await using fixture = await startRunnel();
  const message = { topic: "t", data: 1 };
  const utf8 = String.fromCharCode(...new TextEncoder().encode("schl\u00fcssel"));
  const first = await publish(fixture.url, { ...message, idempotencyKey: "schl\u00fcssel" });
  const again = await publish(fixture.url, message, { headers: { "idempotency-key": utf8 } });
  assert.deepEqual(again.body, { ...first.body, duplicate: true });
  const differs = await publish(fixture.url, { ...message, idempotencyKey: "a" }, {
    headers: { "idempotency-key": "b" },
  });
  const pointer = "idempotency-key";
  assertProblem(differs, { status: 400, code: "invalid_request", pointer });
});

Deno.test("POST /publish takes an idempotency key again for another topic", async () => {
  await using fixture = await startRunnel();
  for (const topic of ["a", "b"]) {
    const { body } = await publish(fixture.url, { topic, data: 1, idempotencyKey: "k" });
    assert.equal(body.duplicate, false);
  }
});

Deno.test("POST /publish refuses an idempotency key that comes with another payload", async () => {
  await using fixture = await startRunnel();
  await publish(fixture.url, { topic: "t", data: 1, idempotencyKey: "k" });
  const answer = await publish(fixture.url, { topic: "t", data: 2, idempotencyKey: "k" });
  assertProblem(answer, { status: 409, code: "idempotency_conflict" });
  assert.equal((await readHistory(fixture.url, "t")).length, 1);
});

Deno.test("POST /publish stores the same idempotency key once when sent 50 times at once", async () => {
  await using fixture = await startRunnel();
  const answers = await Promise.all(
    Array.from(
      { length: 50 },
      () => publish(fixture.url, { topic: "t", data: 1, idempotencyKey: "k" }),
    ),
  );
  assert.equal(new Set(answers.map((answer) => answer.body.id)).size, 1);
  assert.equal(answers.filter((answer) => answer.body.duplicate === false).length, 1);
  assert.equal((await readHistory(fixture.url, "t")).length, 1);
});

Deno.test("POST /publish with durability ephemeral reaches live subscribers and stores nothing", async () => {
  await using fixture = await startRunnel();
  await using single = await openStream(`${fixture.url}/subscribe?topic=e.1`);
  await using pattern = await openStream(`${fixture.url}/subscribe?topic=e.*`);
  await Promise.all([single.until("$ready"), pattern.until("$ready")]);
  const answer = await publish(fixture.url, { topic: "e.1", data: "now", durability: "ephemeral" });
  assert.equal(answer.status, 200);
  assert.equal(answer.body.id, null);
  for (const stream of [single, pattern]) {
    const before = stream.lastEventId;
    const [message] = await stream.messages(1);
    assert.deepEqual([message?.id, message?.topic, message?.data], [null, "e.1", "now"]);
    assert.equal(stream.lastEventId, before, "an ephemeral message must not move the cursor");
  }
  assert.deepEqual(await readHistory(fixture.url, "e.1").catch(() => []), []);
});

Deno.test("POST /publish with durability stored is the default's own name", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "t", data: 1, durability: "stored" });
  assert.equal((await readHistory(fixture.url, "t")).length, 1);
});

Deno.test("POST /publish refuses a durability that is none", async () => {
  await using fixture = await startRunnel();
  const answer = await publish(fixture.url, { topic: "t", data: 1, durability: "eternal" });
  assertProblem(answer, { status: 400, code: "invalid_request", pointer: "#/durability" });
});

Deno.test("POST /publish with durability replicated says so where there is no replica", async () => {
  await using fixture = await startRunnel({ redis: { appendonly: false } });
  const { status, body } = await publish(fixture.url, {
    topic: "t",
    data: 1,
    durability: "replicated",
  });
  assert.deepEqual([status, body.code, body.replicas], [503, "not_replicated", 0]);
});

Deno.test("POST /publish with ttlMs hides the message once it has expired", async () => {
  await using fixture = await startRunnel();
  await publishId(fixture.url, { topic: "t", data: "short", ttlMs: 1 });
  const last = await publishId(fixture.url, { topic: "t", data: "long", ttlMs: 600_000 });
  await using stream = await openStream(`${fixture.url}/subscribe?topic=t&since=earliest&wait=0`);
  const events = await stream.rest();
  const messages = events.filter((event) => !event.event.startsWith("$"));
  assert.deepEqual(messages.map((event) => event.id), [last]);
  assert.ok(!events.some((event) => event.event === "$gap"), "expiry is not a gap");
});

Deno.test("POST /publish stores 500 concurrent publishes each once", async () => {
  await using fixture = await startRunnel();
  const ids = await Promise.all(
    Array.from({ length: 500 }, (_, n) => publishId(fixture.url, { topic: `t${n % 7}`, data: n })),
  );
  assert.equal(new Set(ids).size, 500);
  const stored: unknown[] = [];
  for (let n = 0; n < 7; n++) {
    for (const message of await readHistory(fixture.url, `t${n}`)) {
      assert.equal(ids[Number(message.data)], message.id);
      stored.push(message.data);
    }
  }
  assert.equal(stored.length, 500);
});

Deno.test("POST /publish answers a caller's own request id", async () => {
  await using fixture = await startRunnel();
  const kept = await publish(fixture.url, { topic: "t", data: 1 }, {
    headers: { "x-request-id": "my-id.1" },
  });
  assert.equal(kept.headers.get("x-request-id"), "my-id.1");
  const replaced = await publish(fixture.url, { topic: "t", data: 1 }, {
    headers: { "x-request-id": "no good" },
  });
  assert.match(replaced.headers.get("x-request-id") ?? "", /^[A-Za-z0-9._-]{1,128}$/);
});

Deno.test("POST /publish works below any path prefix", async () => {
  await using fixture = await startRunnel();
  for (const prefix of ["/functions/v1", "/a/b/c"]) {
    const answer = await send(`${fixture.url}${prefix}/publish`, { json: { topic: "t", data: 1 } });
    assert.equal(answer.status, 200);
  }
});
