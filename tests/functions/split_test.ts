/** What is under way while one partition becomes several, and what was before. */
import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { readHistory } from "../_support/history.ts";
import { type Answer, publish, publishId, send } from "../_support/http.ts";
import { openRunnel, type Runnel } from "../_support/open_runnel.ts";
import { reshardTo } from "../_support/reshard.ts";
import { openStream } from "../_support/sse.ts";
import { deadline, until } from "../_support/until.ts";
import { ack, dataOf, groupsOf, idsOf, publishWork, pull, putGroup } from "../_support/work.ts";

function tokenOf({ body }: Answer): string {
  return (body.scheduled as { token: string }).token;
}

interface Growing extends AsyncDisposable {
  readonly url: string;
  /** Another instance, which does nothing until it is asked. */
  readonly other: Runnel;
  /** Makes many partitions of the one. */
  grow(): Promise<void>;
}

async function startGrowing(): Promise<Growing> {
  await using stack = new AsyncDisposableStack();
  const [a, b] = [stack.use(await startRedis()), stack.use(await startRedis())];
  const runnel = stack.use(await openRunnel({ redisUrl: a.url }));
  const other = stack.use(await openRunnel({ redisUrl: a.url }));
  await publishId(runnel.url, { topic: "first", data: 0 });
  const all = stack.move();
  return {
    url: runnel.url,
    other,
    grow: async () => {
      const { partitions } = await reshardTo({ from: [a.url], to: [a.url, b.url], partitions: 8 });
      assert.equal(partitions, 8);
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

Deno.test("a request that waits while its partition is split gets the reply that comes after", async () => {
  await using growing = await startGrowing();
  const { url, other, grow } = growing;
  const asked = send(`${url}/request`, {
    json: { topic: "questions", data: "?", timeoutMs: 30_000 },
  });
  const { messages: [question] } = await pull(url, {
    ...{ topic: "questions", group: "g", since: "earliest", waitMs: 5_000 },
  });
  const replyTo = question && "replyTo" in question ? question.replyTo : undefined;
  await grow();
  const reply = await send(`${other.url}/reply`, { json: { replyTo, data: "!" } });
  assert.equal(reply.status, 202, JSON.stringify(reply.body));
  const { status, body } = await deadline(asked, 5_000, "the reply");
  assert.deepEqual([status, body.data], [200, "!"]);
});

Deno.test("a publisher that waits for confirmations while the partition is split gets those that come after", async () => {
  await using growing = await startGrowing();
  const { url, other, grow } = growing;
  await using before = await openStream(`${other.url}/subscribe?topic=t`);
  const [ready] = await before.until("$ready");
  const subscription = JSON.parse(ready?.data ?? "").subscription;
  const published = publish(url, {
    ...{ topic: "t", data: 1, confirm: { subscribers: 2, timeoutMs: 30_000 } },
  });
  const [message] = await before.messages(1);
  const confirm = { topic: "t", ids: [message?.id] };
  const first = await send(`${other.url}/ack`, { json: { ...confirm, subscription } });
  assert.equal(first.body.done, 1);
  await grow();
  await using after = await openStream(`${other.url}/subscribe?topic=t`);
  const [readyAgain] = await after.until("$ready");
  const second = await send(`${other.url}/ack`, {
    json: { ...confirm, subscription: JSON.parse(readyAgain?.data ?? "").subscription },
  });
  assert.equal(second.body.done, 1);
  const { status, body } = await deadline(published, 5_000, "the confirmations");
  assert.deepEqual([status, body.confirmed, body.confirmations], [200, true, 2]);
});

Deno.test("a pull that waits while its partition is split is answered, and the next gets what comes", async () => {
  await using growing = await startGrowing();
  const { url, grow } = growing;
  await putGroup(url);
  const waiting = pull(url, { waitMs: 20_000 });
  await grow();
  assert.deepEqual((await deadline(waiting, 5_000, "the pull")).messages, []);
  const next = pull(url, { waitMs: 20_000 });
  await publishWork(url, 1);
  assert.equal((await deadline(next, 5_000, "the work")).messages.length, 1);
});

Deno.test("a cursor of before a split goes on behind it, for a topic, several and a pattern", async () => {
  await using growing = await startGrowing();
  const { url, grow } = growing;
  const topics = ["a", "b", "orders.1", "orders.2"];
  for (const topic of topics) await publishId(url, { topic, data: "seen" });
  const cursor = await publishId(url, { topic: "a", data: "last seen" });
  for (const topic of topics) await publishId(url, { topic, data: "before" });
  await grow();
  for (const topic of topics) await publishId(url, { topic, data: "after" });
  const cursors: [query: string, cursor: string][] = [];
  for (
    const [query, expected] of [
      ["topic=a", ["a"]],
      ["topic=a&topic=b", ["a", "b"]],
      ["topic=orders.*", ["orders.1", "orders.2"]],
      ["topic=b&topic=orders.*", ["b", "orders.1", "orders.2"]],
      ["topic=**", topics],
    ] as const
  ) {
    const headers = { "last-event-id": cursor };
    await using stream = await openStream(`${url}/subscribe?${query}`, { headers });
    const received = await stream.messages(2 * expected.length);
    const seen = received.map(({ topic, data }) => `${topic} ${data}`);
    const wanted = expected.flatMap((topic) => [`${topic} before`, `${topic} after`]);
    assert.deepEqual(seen.toSorted(), wanted.toSorted(), query);
    cursors.push([query, stream.lastEventId]);
  }
  for (const topic of topics) await publishId(url, { topic, data: "new" });
  for (const [query, last] of cursors) {
    const headers = { "last-event-id": last };
    await using again = await openStream(`${url}/subscribe?${query}`, { headers });
    assert.deepEqual((await again.messages(1)).map(({ data }) => data), ["new"], query);
  }
});

Deno.test("what groups hold goes with their topics when a partition is split", async () => {
  await using growing = await startGrowing();
  const { url, other, grow } = growing;
  const names = [{ topic: "jobs", group: "g" }, { topic: "jobs.*", group: "p" }];
  for (const one of names) await putGroup(url, { ...one, maxDeliveries: 1 });
  for (const topic of ["jobs", "jobs.1", "jobs.2", "jobs.3"]) {
    for (const data of ["leased", "dead"]) await publishId(url, { topic, data });
  }
  const held = await Promise.all(
    names.map((one) => pull(url, { ...one, max: 100, leaseMs: 60_000 })),
  );
  for (const [i, { messages, lease }] of held.entries()) {
    const ids = messages.filter(({ data }) => data === "dead").map(({ id }) => id);
    await ack(url, ids, { ...names[i], outcome: "nack", lease });
  }
  await grow();
  for (const [i, { messages, lease }] of held.entries()) {
    const ids = messages.filter(({ data }) => data === "leased").map(({ id }) => id);
    const { done, unknown } = await ack(other.url, ids, { ...names[i], lease });
    assert.deepEqual([done, unknown], [ids.length, []]);
  }
  for (const topic of ["jobs", "jobs.1"]) {
    const [dead] = await readHistory(url, `$dead.${topic}`);
    assert.equal(dead?.data, "dead");
    const { body } = await send(`${url}/topics/${topic}/redrive`, { json: {} });
    assert.equal(body.redriven, 1);
    const group = names[topic === "jobs" ? 0 : 1];
    const again = await pull(url, { ...group, waitMs: 5_000 });
    assert.deepEqual(dataOf(again), ["dead"]);
    await ack(url, idsOf(again), { ...group, lease: again.lease });
  }
  await until(async () => (await groupsOf(url, "jobs")).every(({ pending }) => pending === 0));
});

Deno.test("settings, idempotency keys, what is kept for later and the list of topics outlive a split", async () => {
  await using growing = await startGrowing();
  const { url, other, grow } = growing;
  await send(`${url}/topics/kept`, { method: "PUT", json: { maxMessages: 3 } });
  for (let data = 0; data < 5; data++) await publishId(url, { topic: "kept", data });
  const once = { topic: "once", data: 1, idempotencyKey: "k" };
  const id = await publishId(url, once);
  const later = await publish(url, { topic: "later", data: 1, delayMs: 1_500 });
  const never = await publish(url, { topic: "never", data: 1, delayMs: 60_000 });
  await grow();
  await publishId(other.url, { topic: "kept", data: 5 });
  assert.deepEqual((await readHistory(url, "kept")).map(({ data }) => data), [3, 4, 5]);
  const { body } = await publish(other.url, once);
  assert.deepEqual([body.id, body.duplicate], [id, true]);
  assert.equal(
    (await send(`${url}/scheduled/${tokenOf(never)}`, { method: "DELETE" })).status,
    204,
  );
  await until(async () => (await readHistory(url, "later")).length === 1);
  const twice = await send(`${url}/scheduled/${tokenOf(later)}`, { method: "DELETE" });
  assert.equal(twice.status, 404);
  const listed = (await send(`${url}/topics`)).body.topics as { topic: string }[];
  assert.deepEqual(listed.map(({ topic }) => topic), ["first", "kept", "later", "once"]);
});
