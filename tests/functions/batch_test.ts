import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { openStream } from "../_support/sse.ts";
import { assertProblem, send } from "../_support/http.ts";

interface BatchBody {
  accepted: number;
  rejected: number;
  results: { id?: string | null; duplicate?: boolean; error?: Record<string, unknown> }[];
}

async function batch(url: string, json: unknown) {
  const answer = await send(`${url}/batch`, { json });
  // The API's contract; the assertions check what is in it.
  return { ...answer, batch: answer.body as unknown as BatchBody };
}

Deno.test("POST /batch stores an object's messages or a bare array, in order", async () => {
  await using fixture = await startRunnel();
  const messages = Array.from({ length: 1_500 }, (_, n) => ({ topic: `t${n % 2}`, data: n }));
  for (const json of [{ messages }, messages]) {
    const answer = await batch(fixture.url, json);
    assert.equal(answer.status, 200);
    assert.deepEqual([answer.batch.accepted, answer.batch.rejected], [1_500, 0]);
    assert.equal(answer.batch.results.length, 1_500);
    const ids = answer.batch.results.map((result) => result.id);
    const even = await readHistory(fixture.url, "t0");
    assert.deepEqual(even.slice(-750).map(({ id }) => id), ids.filter((_, n) => n % 2 === 0));
    assert.deepEqual(
      even.slice(-750).map(({ data }) => data),
      [...Array(750).keys()].map((n) => n * 2),
    );
  }
});

Deno.test("POST /batch keeps its topics' order in one subscription", async () => {
  await using fixture = await startRunnel();
  const messages = Array.from({ length: 40 }, (_, n) => ({ topic: `t${n % 4}`, data: n }));
  await batch(fixture.url, messages);
  for (let topic = 0; topic < 4; topic++) {
    const stored = await readHistory(fixture.url, `t${topic}`);
    assert.deepEqual(
      stored.map(({ data }) => data),
      [...Array(10).keys()].map((n) => n * 4 + topic),
    );
  }
});

Deno.test("POST /batch answers 207 where some messages were not stored, each in its place", async () => {
  await using fixture = await startRunnel();
  const answer = await batch(fixture.url, [
    { topic: "t", data: 0 },
    { topic: "bad topic", data: 1 },
    { topic: "t", data: 2, idempotencyKey: "k" },
    { topic: "t", data: 2, idempotencyKey: "k" },
    { topic: "t", data: 3, idempotencyKey: "k" },
    { topic: "t", data: 4, nope: true },
    "not an object",
    { topic: "t", data: 5 },
  ]);
  assert.equal(answer.status, 207, JSON.stringify(answer.body));
  const { accepted, rejected, results } = answer.batch;
  assert.deepEqual([accepted, rejected], [4, 4]);
  assert.deepEqual(results.map(({ error }) => error?.code), [
    undefined,
    results[1]?.error?.code,
    undefined,
    undefined,
    "idempotency_conflict",
    "invalid_request",
    "invalid_request",
    undefined,
  ]);
  assert.match(String(results[1]?.error?.code), /^invalid_(topic|request)$/);
  assert.equal(results[3]?.id, results[2]?.id);
  assert.equal(results[3]?.duplicate, true);
  const stored = await readHistory(fixture.url, "t");
  assert.deepEqual(stored.map(({ data }) => data), [0, 2, 5]);
});

Deno.test("POST /batch counts a duplicate of an earlier batch as accepted", async () => {
  await using fixture = await startRunnel();
  const messages = [1, 2, 3].map((n) => ({ topic: "t", data: n, idempotencyKey: `k${n}` }));
  const first = await batch(fixture.url, messages);
  const second = await batch(fixture.url, messages);
  assert.equal(second.status, 200);
  assert.equal(second.batch.accepted, 3);
  assert.deepEqual(
    second.batch.results,
    first.batch.results.map(({ id }) => ({ id, duplicate: true })),
  );
  assert.equal((await readHistory(fixture.url, "t")).length, 3);
});

Deno.test("POST /batch with atomic stores all or none", async () => {
  await using fixture = await startRunnel();
  // the same {tag}, so that they are in one partition however many there are
  const good = [{ topic: "{t}a", data: 1 }, { topic: "{t}b", data: 2 }];
  const stored = await batch(fixture.url, { messages: good, atomic: true });
  assert.equal(stored.status, 200, JSON.stringify(stored.body));
  assert.equal(stored.batch.accepted, 2);
  const refused = await batch(fixture.url, {
    messages: [...good, { topic: "no good", data: 3 }],
    atomic: true,
  });
  assert.equal(refused.status, 400, JSON.stringify(refused.body));
  await send(`${fixture.url}/publish`, { json: { topic: "{t}a", data: 9, idempotencyKey: "k" } });
  const conflict = await batch(fixture.url, {
    messages: [...good, { topic: "{t}a", data: 8, idempotencyKey: "k" }],
    atomic: true,
  });
  assert.equal(conflict.status, 207, JSON.stringify(conflict.body));
  assert.deepEqual([conflict.batch.accepted, conflict.batch.rejected], [0, 3]);
  assert.deepEqual(conflict.batch.results.map(({ error }) => error?.code), [
    "batch_aborted",
    "batch_aborted",
    "idempotency_conflict",
  ]);
  assert.deepEqual((await readHistory(fixture.url, "{t}a")).map(({ data }) => data), [1, 9]);
  assert.deepEqual((await readHistory(fixture.url, "{t}b")).map(({ data }) => data), [2]);
});

Deno.test("POST /batch takes options of every message", async () => {
  await using fixture = await startRunnel();
  await batch(fixture.url, [
    { topic: "t", data: 1, type: "x", key: "k", headers: { h: "1" } },
    { topic: "t", dataBase64: "AP8=", contentType: "image/png" },
  ]);
  const [first, second] = await readHistory(fixture.url, "t");
  assert.deepEqual([first?.type, first?.key, first?.headers], ["x", "k", { h: "1" }]);
  assert.deepEqual([second?.dataBase64, second?.contentType], ["AP8=", "image/png"]);
});

Deno.test("POST /batch takes ephemeral messages among stored ones", async () => {
  await using fixture = await startRunnel();
  const { batch: answer } = await batch(fixture.url, [
    { topic: "t", data: 1 },
    { topic: "t", data: 2, durability: "ephemeral" },
    { topic: "t", data: 3 },
  ]);
  assert.equal(answer.accepted, 3);
  assert.equal(answer.results[1]?.id, null);
  assert.deepEqual((await readHistory(fixture.url, "t")).map(({ data }) => data), [1, 3]);
});

Deno.test("POST /batch keeps the order of ephemeral messages", async () => {
  await using fixture = await startRunnel();
  await using stream = await openStream(`${fixture.url}/subscribe/t`);
  await stream.until(({ event }) => event === "$ready");
  const wanted = Array.from({ length: 500 }, (_, i) => i);
  await batch(
    fixture.url,
    wanted.map((data) => ({ topic: "t", data, durability: "ephemeral" })),
  );
  assert.deepEqual((await stream.messages(500)).map(({ data }) => data), wanted);
});

Deno.test("POST /batch refuses what it cannot honour beside the body", async () => {
  await using fixture = await startRunnel();
  const json = [{ topic: "t", data: 1 }];
  const byHeader = await send(`${fixture.url}/batch`, {
    json,
    headers: { "idempotency-key": "k" },
  });
  const code = "invalid_request";
  assertProblem(byHeader, { status: 400, code, pointer: "idempotency-key" });
  const byQuery = await send(`${fixture.url}/batch?atomic=1`, { json });
  assertProblem(byQuery, { status: 400, code, pointer: "?atomic" });
});

Deno.test("POST /batch refuses a body of the wrong shape", async (t) => {
  await using fixture = await startRunnel();
  const cases: [string, unknown, string][] = [
    ["a text", "x", "#"],
    ["null", null, "#"],
    ["no message at all", [], "#"],
    ["an object without messages", {}, "#/messages"],
    ["messages that are no array", { messages: 1 }, "#/messages"],
    ["an unknown option", { messages: [], nope: 1 }, "#/nope"],
    ["an atomic that is no boolean", { messages: [], atomic: "yes" }, "#/atomic"],
  ];
  for (const [name, json, pointer] of cases) {
    await t.step(name, async () => {
      const answer = await send(`${fixture.url}/batch`, { json });
      assertProblem(answer, { status: 400, code: "invalid_request", pointer });
    });
  }
});
