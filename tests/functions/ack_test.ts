import assert from "node:assert/strict";
import { startRunnel } from "../_support/fixture.ts";
import { readHistory } from "../_support/history.ts";
import { assertProblem, publish, send } from "../_support/http.ts";
import { deadline, until } from "../_support/until.ts";
import {
  ack,
  dataOf,
  groupsOf,
  idsOf,
  publishWork,
  pull,
  putGroup,
  tryPull,
} from "../_support/work.ts";

Deno.test("POST /ack ends messages for good, many at a time, and tells which it did not know", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  const ids = await publishWork(url, 100);
  const { messages } = await pull(url, { max: 100, leaseMs: 100 });
  assert.equal(messages.length, 100);
  const some = ids.slice(0, 99);
  assert.deepEqual(await ack(url, [...some, "1-1", ...some]), { done: 99, unknown: ["1-1"] });
  const { messages: left } = await deadline(pull(url, { waitMs: 10_000, max: 10 }), 10_000);
  assert.deepEqual(left.map(({ data, deliveries }) => [data, deliveries]), [[99, 2]]);
});

Deno.test("POST /ack with nack and delayMs brings a message back then, not before", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  await publishWork(url, 2);
  const { lease, messages } = await pull(url, { max: 2 });
  const [slow = "", fast = ""] = messages.map(({ id }) => id);
  await ack(url, [slow], { outcome: "nack", lease, delayMs: 600 });
  const before = performance.now();
  await ack(url, [fast], { outcome: "nack", lease });
  assert.deepEqual(idsOf(await pull(url, { max: 2 })), [fast], "without delayMs it is due at once");
  const { messages: [back] } = await deadline(pull(url, { waitMs: 10_000 }), 10_000);
  assert.deepEqual([back?.id, back?.deliveries], [slow, 2]);
  const waited = performance.now() - before;
  assert.ok(waited > 560, `${waited} ms`);
});

Deno.test("POST /ack with nack wakes whoever waits, within a moment", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  const [id = ""] = await publishWork(url, 1);
  const { lease } = await pull(url);
  const waiting = pull(url, { consumer: "next", waitMs: 30_000 });
  await until(async () => (await groupsOf(url))[0]?.consumers.length === 1);
  await ack(url, [id], { outcome: "nack", lease });
  const { messages } = await deadline(waiting, 2_000, "the message that was given back");
  assert.deepEqual(messages.map((one) => [one.id, one.deliveries]), [[id, 2]]);
});

Deno.test("POST /ack with extend keeps a message for longer", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  const [kept = "", lost = ""] = await publishWork(url, 2);
  const { lease } = await pull(url, { max: 2, leaseMs: 400 });
  const extended = await ack(url, [kept], { outcome: "extend", lease, leaseMs: 60_000 });
  assert.deepEqual(extended, { done: 1, unknown: [] });
  const { messages } = await deadline(pull(url, { waitMs: 10_000, max: 2 }), 10_000);
  assert.deepEqual(messages.map(({ id }) => id), [lost]);
  assert.deepEqual((await pull(url, { waitMs: 200 })).messages, []);
  assert.deepEqual(await ack(url, [kept]), { done: 1, unknown: [] });
});

Deno.test("POST /ack moves a message to the dead letters at its last delivery, with reason, group and count", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url, { maxDeliveries: 2 });
  const { body } = await publish(url, {
    topic: "jobs",
    data: { big: 1 },
    type: "order",
    headers: { own: "kept" },
  });
  const id = `${body.id}`;
  for (const deliveries of [1, 2]) {
    const { lease, messages } = await pull(url);
    assert.equal(messages[0]?.deliveries, deliveries);
    assert.equal((await ack(url, [id], { outcome: "nack", lease })).done, 1);
  }
  assert.deepEqual((await pull(url)).messages, []);
  const [dead] = await readHistory(url, "$dead.jobs");
  assert.deepEqual([dead?.data, dead?.type], [{ big: 1 }, "order"]);
  assert.deepEqual(dead?.headers, {
    "dead-reason": "nack",
    "dead-group": "g",
    "dead-deliveries": "2",
    "dead-id": id,
    own: "kept",
  });
  const [group] = await groupsOf(url);
  assert.deepEqual([group?.dead, group?.pending, group?.lag], [1, 0, 0]);
});

Deno.test("a message is delivered five times by default, and then is a dead letter also where its leases ran out", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  await publishWork(url, 1);
  for (const deliveries of [1, 2, 3, 4, 5]) {
    const { messages } = await deadline(pull(url, { leaseMs: 100, waitMs: 10_000 }), 10_000);
    assert.equal(messages[0]?.deliveries, deliveries);
  }
  await until(async () => {
    assert.deepEqual((await pull(url)).messages, []);
    return (await groupsOf(url))[0]?.dead === 1;
  }, { what: "the dead letter" });
  const [dead] = await readHistory(url, "$dead.jobs");
  assert.deepEqual([dead?.data, dead?.headers?.["dead-deliveries"]], [0, "5"]);
  assert.match(dead?.headers?.["dead-reason"] ?? "", /lease/);
});

Deno.test("POST /ack twice, or for another group, does nothing the second time", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  for (const group of ["g", "other"]) await putGroup(url, { group });
  const [id = ""] = await publishWork(url, 1);
  await pull(url);
  assert.deepEqual(await ack(url, [id], { group: "other" }), { done: 0, unknown: [id] });
  assert.deepEqual(await ack(url, [id], { group: "none" }), { done: 0, unknown: [id] });
  assert.deepEqual(await ack(url, [id], { topic: "elsewhere" }), { done: 0, unknown: [id] });
  assert.deepEqual(await ack(url, [id]), { done: 1, unknown: [] });
  assert.deepEqual(await ack(url, [id]), { done: 0, unknown: [id] });
  assert.deepEqual(idsOf(await pull(url, { group: "other" })), [id], "it has its own");
});

Deno.test("POST /ack by a lease that ran out changes nothing while another holds the message", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  const [id = ""] = await publishWork(url, 1);
  // two consumers of one name: what counts is the lease
  const first = await pull(url, { consumer: "twin", leaseMs: 100 });
  const second = await deadline(pull(url, { consumer: "twin", waitMs: 10_000 }), 10_000);
  assert.deepEqual(idsOf(second), [id]);
  for (const outcome of ["ack", "nack", "extend"]) {
    const late = await ack(url, [id], { outcome, lease: first.lease });
    assert.deepEqual(late, { done: 0, unknown: [id] }, outcome);
  }
  assert.deepEqual((await pull(url)).messages, []);
  assert.equal((await ack(url, [id], { lease: second.lease })).done, 1);
});

Deno.test("POST /ack by the last owner counts while nobody else holds the message", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  await putGroup(url);
  const [id = ""] = await publishWork(url, 1);
  const { lease, leaseUntil } = await pull(url, { leaseMs: 100 });
  await until(() => Date.now() > Date.parse(leaseUntil ?? "") + 20);
  assert.deepEqual(await ack(url, [id], { lease }), { done: 1, unknown: [] });
  assert.deepEqual((await pull(url, { waitMs: 300 })).messages, []);
});

Deno.test("POST /ack of a pattern's messages names the pattern", async () => {
  await using fixture = await startRunnel();
  const { url } = fixture;
  const topic = "jobs.**";
  await putGroup(url, { topic });
  await publishWork(url, 1, "jobs.a");
  await publishWork(url, 1, "jobs.b/c");
  const { messages } = await pull(url, { topic, max: 5 });
  assert.deepEqual(messages.map((one) => one.topic).toSorted(), ["jobs.a", "jobs.b/c"]);
  assert.equal((await ack(url, messages.map(({ id }) => id), { topic })).done, 2);
});

Deno.test("POST /ack refuses wrong input and points at the field", async (t) => {
  await using fixture = await startRunnel();
  const cases: [string, Record<string, unknown>, string][] = [
    ["no ids", { ids: undefined }, "#/ids"],
    ["an empty list", { ids: [] }, "#/ids"],
    ["1,001 ids", { ids: Array(1_001).fill("1-1") }, "#/ids"],
    ["an id that is none", { ids: ["1-1", "x"] }, "#/ids/1"],
    ["neither group nor subscription", { group: undefined }, "#/group"],
    ["group and subscription", { subscription: "s" }, "#/group"],
    ["an outcome for a subscription", {
      group: undefined,
      subscription: "s",
      outcome: "ack",
    }, "#/outcome"],
    ["an unknown outcome", { outcome: "drop" }, "#/outcome"],
    ["a nack without a lease", { outcome: "nack" }, "#/lease"],
    ["an extend without a lease", { outcome: "extend" }, "#/lease"],
    ["a delay of an ack", { delayMs: 1 }, "#/delayMs"],
    ["a delay of an extend", { outcome: "extend", lease: "1", delayMs: 1 }, "#/delayMs"],
    ["a lease time of a nack", { outcome: "nack", lease: "1", leaseMs: 100 }, "#/leaseMs"],
    ["a delay of more than a week", {
      outcome: "nack",
      lease: "1",
      delayMs: 7 * 86_400_000 + 1,
    }, "#/delayMs"],
    ["an unknown field", { nope: 1 }, "#/nope"],
  ];
  for (const [name, fields, pointer] of cases) {
    await t.step(name, async () => {
      const json = { topic: "jobs", group: "g", ids: ["1-1"], ...fields };
      const expected = { status: 400, code: "invalid_request", pointer };
      assertProblem(await send(`${fixture.url}/ack`, { json }), expected);
    });
  }
});

Deno.test("POST /pull and /ack go on where Redis is out of memory: whoever makes room must be let", async () => {
  await using fixture = await startRunnel({ redis: { appendonly: false } });
  const { url, redis } = fixture;
  await putGroup(url);
  const ids = await publishWork(url, 10);
  await redis.cli("CONFIG", "SET", "maxmemory", "1");
  assert.equal((await publish(url, { topic: "jobs", data: 1 })).body.code, "redis_out_of_memory");
  const answer = await tryPull(url, { max: 10 });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.equal((await ack(url, ids)).done, 10);
  await redis.cli("CONFIG", "SET", "maxmemory", "0");
  assert.deepEqual(dataOf(await pull(url, { max: 10 })), []);
});
