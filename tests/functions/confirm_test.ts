import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { type Answer, assertProblem, publish, send } from "../_support/http.ts";
import { type EventStream, openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";

/** Opens a subscription and gives its stream and the name that it was told. */
async function subscribe(
  url: string,
  topic: string,
): Promise<{ stream: EventStream; subscription: string }> {
  const stream = await openStream(`${url}/subscribe?topic=${topic}`);
  const [ready] = await stream.until("$ready");
  return { stream, subscription: JSON.parse(ready?.data ?? "").subscription };
}

function ack(url: string, json: Record<string, unknown>): Promise<Answer> {
  return send(`${url}/ack`, { json });
}

const confirmed = (subscribers: number, timeoutMs = 5_000) => ({
  topic: "t",
  data: 1,
  confirm: { subscribers, timeoutMs },
});

Deno.test("POST /publish with confirm answers when enough subscriptions have confirmed the message", async () => {
  await using fixture = await startRunnel();
  await using other = await fixture.another();
  const [a, b] = [await subscribe(fixture.url, "t"), await subscribe(other.url, "*")];
  await using _a = a.stream;
  await using _b = b.stream;
  const published = publish(fixture.url, confirmed(2));
  const ids: (string | null)[] = [];
  for (const [url, { stream, subscription }] of [[fixture.url, a], [other.url, b]] as const) {
    const [message] = await stream.messages(1);
    ids.push(message?.id ?? null);
    const { status, body } = await ack(url, { topic: "t", ids: [message?.id], subscription });
    assert.deepEqual([status, body], [200, { done: 1, unknown: [] }]);
  }
  const { status, body } = await deadline(published, 4_000);
  assert.equal(status, 200);
  assert.deepEqual(body, {
    id: ids[0],
    topic: "t",
    duplicate: false,
    confirmed: true,
    confirmations: 2,
  });
});

Deno.test("POST /publish with confirm counts a subscription once, however often it confirms", async () => {
  await using fixture = await startRunnel();
  const { stream, subscription } = await subscribe(fixture.url, "t");
  await using _ = stream;
  const published = publish(fixture.url, confirmed(2, 600));
  const [message] = await stream.messages(1);
  for (let i = 0; i < 3; i++) {
    const { body } = await ack(fixture.url, { topic: "t", ids: [message?.id], subscription });
    assert.deepEqual(body, { done: 1, unknown: [] });
  }
  const { status, body } = await published;
  assert.equal(status, 200, "the message is stored");
  assert.deepEqual([body.confirmed, body.confirmations], [false, 1]);
});

Deno.test("POST /publish with confirm of a duplicate waits for the message that is stored, also at another instance", async () => {
  await using fixture = await startRunnel();
  await using other = await fixture.another();
  const { stream, subscription } = await subscribe(fixture.url, "t");
  await using _ = stream;
  const message = { ...confirmed(1), idempotencyKey: "k" };
  const first = publish(fixture.url, message);
  const [{ id } = { id: null }] = await stream.messages(1);
  const second = publish(other.url, message);
  await until(async () => `${await fixture.command("t", "HGET", `@:f:${id}`, "p")}`.includes(" "));
  await ack(fixture.url, { topic: "t", ids: [id], subscription });
  const [one, two] = await Promise.all([first, second]);
  assert.deepEqual(one.body, {
    id,
    topic: "t",
    duplicate: false,
    confirmed: true,
    confirmations: 1,
  });
  assert.deepEqual(two.body, { ...one.body, duplicate: true });
  const third = await deadline(publish(other.url, message), 2_000);
  assert.deepEqual(third.body, two.body, "it was confirmed before");
});

Deno.test("POST /publish with confirm of a duplicate is told though the first publisher did not ask", async () => {
  await using fixture = await startRunnel();
  const { stream, subscription } = await subscribe(fixture.url, "t");
  await using _ = stream;
  const { confirm: _confirm, ...plain } = { ...confirmed(1), idempotencyKey: "k" };
  const { body: { id } } = await publish(fixture.url, plain);
  const early = await ack(fixture.url, { topic: "t", ids: [id], subscription });
  assert.deepEqual(early.body, { done: 0, unknown: [id] }, "nobody waits yet");
  const second = publish(fixture.url, { ...confirmed(1), idempotencyKey: "k" });
  await until(async () => await fixture.command("t", "EXISTS", `@:f:${id}`) === 1);
  await ack(fixture.url, { topic: "t", ids: [id], subscription });
  assert.deepEqual([(await second).body.duplicate, (await second).body.confirmed], [true, true]);
});

Deno.test("POST /ack refuses a subscription that nobody has", async () => {
  await using fixture = await startRunnel();
  await using other = await fixture.another({ env: { RUNNEL_PREFIX: "rn:other" } });
  const { stream, subscription } = await subscribe(fixture.url, "t");
  await using _ = stream;
  const foreign = await subscribe(other.url, "t");
  await using _foreign = foreign.stream;
  const [uuid = "", signature = ""] = subscription.split(".");
  const invented = [
    crypto.randomUUID(),
    uuid,
    `${crypto.randomUUID()}.${signature}`,
    `${uuid}.${signature.slice(1)}`,
    `${uuid}.${"A".repeat(22)}`,
    `${subscription}x`,
    foreign.subscription,
    "*",
  ];
  for (const one of invented) {
    const answer = await ack(fixture.url, { topic: "t", ids: ["1-1"], subscription: one });
    assertProblem(answer, { status: 400, code: "invalid_request", pointer: "#/subscription" });
  }
});

Deno.test("POST /ack of a subscription says which messages nobody waits for", async () => {
  await using fixture = await startRunnel();
  const { stream, subscription } = await subscribe(fixture.url, "t");
  await using _ = stream;
  const published = publish(fixture.url, confirmed(1));
  const [message] = await stream.messages(1);
  const elsewhere = await ack(fixture.url, { topic: "u", ids: [message?.id], subscription });
  assert.deepEqual(elsewhere.body, { done: 0, unknown: [message?.id] }, "it is of another topic");
  const { body } = await ack(fixture.url, {
    topic: "t",
    ids: ["1-1", message?.id],
    subscription,
  });
  assert.deepEqual(body, { done: 1, unknown: ["1-1"] });
  assert.equal((await published).body.confirmed, true);
});

Deno.test("POST /publish refuses a confirm that it cannot honour, and a batch has none", async () => {
  await using fixture = await startRunnel();
  const cases: [Record<string, unknown>, string][] = [
    [{ confirm: { subscribers: 0, timeoutMs: 1 } }, "#/confirm/subscribers"],
    [{ confirm: { subscribers: 10_001, timeoutMs: 1 } }, "#/confirm/subscribers"],
    [{ confirm: { subscribers: 1, timeoutMs: 600_001 } }, "#/confirm/timeoutMs"],
    [{ confirm: { subscribers: 1 } }, "#/confirm/timeoutMs"],
    [{ confirm: 1 }, "#/confirm"],
    [{ ...confirmed(1), durability: "ephemeral" }, "#/confirm"],
    [{ ...confirmed(1), delayMs: 1_000 }, "#/confirm"],
    [{ ...confirmed(1), at: "2040-01-01T00:00:00Z" }, "#/confirm"],
  ];
  for (const [json, pointer] of cases) {
    const answer = await publish(fixture.url, { topic: "t", data: 1, ...json });
    assertProblem(answer, { status: 400, code: "invalid_request", pointer });
  }
  const messages = [{ topic: "t", data: 1 }, confirmed(1)];
  const { status, body } = await send(`${fixture.url}/batch`, { json: messages });
  assert.equal(status, 207);
  const results = body.results as { error?: { errors: { pointer: string }[] } }[];
  assert.equal(results[1]?.error?.errors[0]?.pointer, "#/confirm");
  const atomic = await send(`${fixture.url}/batch`, { json: { messages, atomic: true } });
  assertProblem(atomic, { status: 400, code: "invalid_request", pointer: "#/messages/1/confirm" });
});

Deno.test("a publisher that waits is answered with the count so far when the server shuts down", async () => {
  await using fixture = await startRunnel();
  await using other = await fixture.another();
  const { stream, subscription } = await subscribe(other.url, "t");
  await using _ = stream;
  const published = publish(fixture.url, confirmed(2, 60_000));
  const [message] = await stream.messages(1);
  await ack(other.url, { topic: "t", ids: [message?.id], subscription });
  await deadline(fixture.runnel.close(), 4_000);
  const { status, body } = await published;
  assert.deepEqual([status, body.confirmed, body.confirmations], [200, false, 1]);
});

Deno.test("a publisher that goes away frees what waits for it", async () => {
  await using fixture = await startRunnel();
  const { stream } = await subscribe(fixture.url, "t");
  await using _ = stream;
  const leaving = new AbortController();
  const { signal } = leaving;
  const published = publish(fixture.url, confirmed(1, 600_000), { signal });
  published.catch(() => {});
  await stream.messages(1);
  leaving.abort();
  await assert.rejects(published);
  // a timer that were still running would be a leak, and the server's end would wait for the publisher
  await deadline(fixture.runnel.close(), 4_000);
});
