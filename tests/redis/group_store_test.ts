import assert from "node:assert/strict";
import { GroupIndex } from "../../lib/broker/group_index.ts";
import type { PullResult } from "../../lib/redis/group.ts";
import { desk, idsOf } from "../_support/group_desk.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();

const bodiesOf = (result: PullResult) => result.messages.map(({ message }) => message.body);

Deno.test("a pull leases each message to one consumer, in order, with its copy", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2, 3);
  const g = desk(partition);
  const first = await g.pull({ max: 2 });
  const second = await g.pull({ max: 2 });
  const third = await g.pull();
  assert.deepEqual([idsOf(first), idsOf(second), idsOf(third)], [
    ids.slice(0, 2),
    ids.slice(2),
    [],
  ]);
  assert.deepEqual(bodiesOf(first), ['{"data":1}', '{"data":2}']);
  assert.deepEqual(first.messages.map(({ deliveries }) => deliveries), [1, 1]);
  assert.equal(first.messages[0]?.message.topic, "jobs");
  assert.deepEqual([first.more, second.more, third.more], [true, false, false]);
  assert.deepEqual([first.created, second.created], [true, false]);
  assert.ok(third.nextDue, "it says when the next lease ends");
  assert.notEqual(first.lease, second.lease);
  assert.equal(third.lease, undefined);
});

Deno.test("a group starts where it was asked to", async (t) => {
  const cases: [string, (ids: string[]) => string, unknown[]][] = [
    ["latest", () => "latest", []],
    ["earliest", () => "earliest", [1, 2, 3]],
    ["the last ones", () => "last:2", [2, 3]],
    ["after an id", (ids) => ids[0] ?? "", [2, 3]],
    ["after a time before all", () => "5-0", [1, 2, 3]],
    ["after the last id", (ids) => ids[2] ?? "", []],
  ];
  for (const [name, since, expected] of cases) {
    await t.step(name, async () => {
      await using partition = redis.open();
      const ids = await partition.publish("jobs", 1, 2, 3);
      const g = desk(partition);
      const given = bodiesOf(await g.pull({ since: since(ids) })).map((body) =>
        JSON.parse(body).data
      );
      assert.deepEqual(given, expected);
      await partition.publish("jobs", 4);
      assert.deepEqual(bodiesOf(await g.pull()), ['{"data":4}']);
      assert.equal((await g.info())?.lag, 0);
    });
  }
});

Deno.test("a pull makes a group on a topic that has no message yet", async () => {
  await using partition = redis.open();
  const g = desk(partition);
  assert.deepEqual(idsOf(await g.pull({ since: "latest" })), []);
  const ids = await partition.publish("jobs", 1);
  assert.deepEqual(idsOf(await g.pull()), ids);
});

Deno.test("an ack takes a message out of its group, once", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2);
  const g = desk(partition);
  const { lease = "" } = await g.pull();
  assert.deepEqual(await g.settle("ack", ids, { lease }), { done: 2, unknown: [] });
  assert.deepEqual(await g.settle("ack", ids, { lease }), { done: 0, unknown: ids });
  assert.deepEqual(await g.info(), {
    sub: "jobs",
    group: "g",
    lag: 0,
    pending: 0,
    dead: 0,
    oldestPendingMs: null,
    maxDeliveries: 5,
    consumers: [],
  });
});

Deno.test("an id given twice in one ack counts once", async () => {
  await using partition = redis.open();
  const [id = ""] = await partition.publish("jobs", 1);
  const g = desk(partition);
  await g.pull();
  assert.deepEqual(await g.settle("ack", [id, id]), { done: 1, unknown: [id] });
  assert.equal((await g.info())?.pending, 0);
});

Deno.test("an ack for another group, or of a message that was not pulled, is unknown", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1);
  const one = desk(partition);
  const other = desk(partition, "jobs", "other");
  await one.pull();
  assert.deepEqual(await other.settle("ack", ids), { done: 0, unknown: ids });
  await other.pull({ max: 1, since: "latest" });
  assert.deepEqual(await other.settle("ack", ids), { done: 0, unknown: ids });
});

Deno.test("a lease that ran out is given to the next, counted, and its old owner has no say", async () => {
  await using partition = redis.open();
  const [id = ""] = await partition.publish("jobs", 1);
  const g = desk(partition);
  const first = await g.pull({ leaseMs: 0, consumer: "a" });
  const second = await g.pull({ consumer: "b" });
  assert.deepEqual([idsOf(second), second.messages[0]?.deliveries], [[id], 2]);
  const { lease = "" } = first;
  for (const kind of ["ack", "nack", "extend"] as const) {
    assert.deepEqual(await g.settle(kind, [id], { lease, leaseMs: 1_000 }), {
      done: 0,
      unknown: [id],
    }, kind);
  }
  assert.deepEqual((await g.info())?.consumers.map(({ name, leased }) => [name, leased]).sort(), [[
    "a",
    0,
  ], ["b", 1]]);
  assert.equal((await g.settle("ack", [id], { lease: second.lease ?? "" })).done, 1);
});

Deno.test("an ack by a lease that ran out counts while nobody else holds the message", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1);
  const g = desk(partition);
  const { lease = "" } = await g.pull({ leaseMs: 0 });
  assert.equal((await g.settle("ack", ids, { lease })).done, 1);
  assert.deepEqual(idsOf(await g.pull()), []);
});

Deno.test("a nacked message comes back when its delay is over, not before", async () => {
  await using partition = redis.open();
  const [id = ""] = await partition.publish("jobs", 1);
  const g = desk(partition);
  const { lease = "" } = await g.pull();
  assert.equal((await g.settle("nack", [id], { lease, delayMs: 60_000 })).done, 1);
  const before = await g.pull();
  assert.deepEqual(idsOf(before), []);
  assert.ok((before.nextDue ?? 0) > partition.store.now + 50_000);
  await redis.cli("ZADD", `${partition.store.keys.base}:g:jobs|g:due`, "1", id);
  assert.deepEqual((await g.pull()).messages.map(({ deliveries }) => deliveries), [2]);
});

Deno.test("extend prolongs a lease, and not one that was given back", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1);
  const g = desk(partition);
  const { lease = "" } = await g.pull({ leaseMs: 0 });
  assert.equal((await g.settle("extend", ids, { lease, leaseMs: 60_000 })).done, 1);
  assert.deepEqual(idsOf(await g.pull()), []);
  await g.settle("nack", ids, { lease, delayMs: 60_000 });
  assert.deepEqual(await g.settle("extend", ids, { lease, leaseMs: 1 }), { done: 0, unknown: ids });
});

Deno.test("the same attempt gives what its lease still holds, a lower one is refused", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2, 3);
  const g = desk(partition);
  const first = await g.pull({ consumer: "a", attempt: 7, max: 2 });
  await g.settle("ack", ids.slice(0, 1), { lease: first.lease ?? "" });
  const again = await g.pull({ consumer: "a", attempt: 7, max: 2 });
  assert.deepEqual([idsOf(again), again.lease, again.repeated], [
    ids.slice(1, 2),
    first.lease,
    true,
  ]);
  assert.deepEqual(again.messages.map(({ deliveries }) => deliveries), [1]);
  assert.equal((await g.pull({ consumer: "a", attempt: 6 })).problem, "attempt");
  assert.deepEqual(idsOf(await g.pull({ consumer: "a", attempt: 8 })), ids.slice(2));
});

Deno.test("an attempt that gave nothing is made anew", async () => {
  await using partition = redis.open();
  const g = desk(partition);
  await g.pull({ consumer: "a", attempt: 1 });
  const ids = await partition.publish("jobs", 1);
  assert.deepEqual(idsOf(await g.pull({ consumer: "a", attempt: 1 })), ids);
});

Deno.test("retention takes no message that a group was not given, and none that it holds", async () => {
  await using partition = redis.open({ retention: { maxMessages: 5 } });
  const g = desk(partition);
  await g.pull();
  const ids: string[] = [];
  for (let i = 0; i < 20; i++) ids.push(await partition.publishOne("jobs", i));
  await partition.store.topics.sweep(["jobs"]);
  const given = await g.pull();
  assert.deepEqual(idsOf(given), ids);
  await partition.store.topics.sweep(["jobs"]);
  const kept = await partition.store.history({ topic: "jobs", count: 99, descending: false });
  assert.equal(kept.length, 5, "it waits for the cursor only");
  await redis.cli(
    "ZADD",
    `${partition.store.keys.base}:g:jobs|g:due`,
    ...ids.flatMap((id) => ["1", id]),
  );
  assert.deepEqual(
    idsOf(await g.pull()).sort(),
    [...ids].sort(),
    "leases have copies of their own",
  );
});

Deno.test("a topic that is full of open work takes no more until it is done", async () => {
  await using partition = redis.open({ retention: { maxMessages: 3 } });
  const g = desk(partition);
  await g.pull();
  const ids: string[] = [];
  for (let i = 0; i < 30; i++) ids.push(await partition.publishOne("jobs", i));
  const full = await partition.commit({ jobs: ['{"data":1}'], other: ['{"data":2}'] });
  assert.deepEqual(full.special, [[0, "full", "jobs|g"]]);
  assert.notEqual(full.firsts[1], "", "other topics are not held up");
  await g.pull();
  assert.deepEqual(
    (await partition.commit({ jobs: ['{"data":1}'] })).special.length,
    1,
    "leased is not done",
  );
  await g.settle("ack", ids.slice(0, 1));
  assert.deepEqual((await partition.commit({ jobs: ['{"data":1}'] })).special, []);
  assert.equal((await partition.commit({ jobs: ['{"data":1}'] })).special.length, 1);
  assert.equal(await partition.store.groups.remove(g.name), true);
  assert.deepEqual(
    (await partition.commit({ jobs: ['{"data":1}'] })).special,
    [],
    "a deleted group holds nothing up",
  );
  assert.equal(await partition.store.groups.remove(g.name), false);
});

Deno.test("a deleted topic empties its groups, which stay", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2, 3);
  const g = desk(partition);
  await g.pull({ max: 1 });
  await partition.store.topics.remove("jobs");
  assert.deepEqual((await g.info())?.lag, 0);
  assert.deepEqual((await g.info())?.pending, 0);
  assert.deepEqual(await g.settle("ack", ids), { done: 0, unknown: ids });
  const fresh = await partition.publish("jobs", 4);
  assert.deepEqual(idsOf(await g.pull()), fresh);
  assert.deepEqual([(await g.info())?.pending], [1]);
});

Deno.test("a group is not given what has expired, and is done with it", async () => {
  await using partition = redis.open();
  const g = desk(partition);
  await g.pull();
  const message = (ttl: number) => ({ body: `{"data":${ttl}}`, options: JSON.stringify({ ttl }) });
  await partition.commit({ jobs: [message(0), message(60_000), message(0)] });
  assert.deepEqual(bodiesOf(await g.pull()), ['{"data":60000}']);
  assert.deepEqual([(await g.info())?.lag, (await g.info())?.pending], [0, 1]);
});

Deno.test("a consumer that may hold so many is given no more until it has acked", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2, 3);
  const g = desk(partition);
  const capped = { consumer: "a", cap: 2, process: "p1" };
  assert.deepEqual(idsOf(await g.pull(capped)), ids.slice(0, 2));
  assert.deepEqual(idsOf(await g.pull(capped)), []);
  await g.settle("ack", ids.slice(0, 1));
  assert.deepEqual(idsOf(await g.pull(capped)), ids.slice(2));
});

Deno.test("a consumer whose own leases ran out may take them again", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2);
  const g = desk(partition);
  const capped = { consumer: "a", cap: 2, process: "p1", leaseMs: 0 };
  assert.deepEqual(idsOf(await g.pull(capped)), ids);
  assert.deepEqual(idsOf(await g.pull(capped)).sort(), ids);
  assert.deepEqual((await g.info())?.consumers.map(({ leased }) => leased), [2]);
});

Deno.test("a pattern group gets topics that were there and topics that come", async () => {
  await using partition = redis.open();
  const index = new GroupIndex(partition.store.groups);
  const old = await partition.publish("jobs.a", 1);
  const g = desk(partition, "jobs.*");
  assert.equal((await g.pull()).created, true);
  await assert.rejects(partition.publish("jobs.b", 2), { code: "groups_unadopted" });
  const fresh = await index.adopting(() => partition.publish("jobs.b", 2));
  await index.adopting(() => partition.publish("other.b", 2));
  await index.adopt(["jobs.a"]);
  assert.deepEqual(idsOf(await g.pull()).sort(), [...old, ...fresh].sort());
  const more = await partition.publish("jobs.a", 3);
  const last = await g.pull();
  assert.deepEqual([idsOf(last), last.messages[0]?.message.topic], [more, "jobs.a"]);
  assert.equal((await g.settle("ack", [...old, ...fresh, ...more])).done, 3);
  const [info] = await partition.store.groups.describe("jobs.a");
  assert.deepEqual([info?.sub, info?.lag, info?.pending], ["jobs.*", 0, 0]);
});

Deno.test("a pattern group that starts at latest gets nothing older, and all that follows", async () => {
  await using partition = redis.open();
  const index = new GroupIndex(partition.store.groups);
  await partition.publish("jobs.a", 1);
  const g = desk(partition, "jobs.*");
  await g.pull({ since: "latest" });
  const fresh = await index.adopting(() => partition.publish("jobs.a", 2));
  assert.deepEqual(idsOf(await g.pull()), fresh);
});

Deno.test("nothing is trimmed from a topic that a pattern group does not know yet", async () => {
  await using partition = redis.open({ retention: { maxMessages: 2 } });
  const index = new GroupIndex(partition.store.groups);
  await partition.publish("jobs.a", 1, 2);
  const g = desk(partition, "jobs.*");
  await g.pull();
  await index.adopting(() => partition.publish("jobs.a", 3, 4, 5));
  assert.deepEqual(bodiesOf(await g.pull()).length, 5);
});

Deno.test("a pattern group that is deleted leaves every topic", async () => {
  await using partition = redis.open({ retention: { maxMessages: 1 } });
  const index = new GroupIndex(partition.store.groups);
  const g = desk(partition, "jobs.*");
  await g.pull();
  for (const name of ["a", "b", "c"]) {
    await index.adopting(() => partition.publish(`jobs.${name}`, 1, 2));
  }
  assert.equal(await partition.store.groups.remove(g.name), true);
  await partition.publish("jobs.a", 3);
  const kept = await partition.store.history({ topic: "jobs.a", count: 9, descending: false });
  assert.equal(kept.length, 1);
  assert.deepEqual(
    await redis.cli("KEYS", `${partition.store.keys.base}:g:*`.replaceAll("{", "\\{")),
    "",
  );
});

Deno.test("messages of a deleted topic are not given by a pattern group, nor counted", async () => {
  await using partition = redis.open();
  const index = new GroupIndex(partition.store.groups);
  const g = desk(partition, "jobs.*");
  await g.pull();
  const old = await index.adopting(() => partition.publish("jobs.a", 1, 2));
  await g.pull({ leaseMs: 0 });
  await partition.store.topics.remove("jobs.a");
  const fresh = await index.adopting(() => partition.publish("jobs.a", 3));
  assert.deepEqual(idsOf(await g.pull()), fresh);
  assert.equal((await g.settle("ack", old)).done, 0);
  const [info] = await partition.store.groups.describe("jobs.a");
  assert.deepEqual([info?.lag, info?.pending], [0, 1]);
});

Deno.test("leases made before the clock went back do not last for ever", async () => {
  await using partition = redis.open();
  const [id = ""] = await partition.publish("jobs", 1);
  const g = desk(partition);
  await g.pull({ leaseMs: 1_000 });
  const hour = partition.store.now + 3_600_000;
  const key = `${partition.store.keys.base}:g:jobs|g`;
  await redis.cli("ZADD", `${key}:due`, `${hour}`, id);
  await redis.cli("HSET", key, "seen", `${hour}`);
  assert.deepEqual(idsOf(await g.pull()), [id]);
});

Deno.test("a pull and an ack work where Redis is out of memory", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2);
  const g = desk(partition);
  await g.pull({ max: 1 });
  await redis.cli("CONFIG", "SET", "maxmemory", "1");
  try {
    assert.deepEqual(idsOf(await g.pull()), ids.slice(1));
    assert.equal((await g.settle("ack", ids)).done, 2);
    await assert.rejects(partition.publish("jobs", 3), { code: "redis_out_of_memory" });
  } finally {
    await redis.cli("CONFIG", "SET", "maxmemory", "0");
  }
});

Deno.test("deleting the dead-letter topic closes what it held", async () => {
  await using partition = redis.open();
  await partition.publish("jobs", 1, 2);
  const g = desk(partition);
  await partition.store.groups.configure(g.name, { maxDeliveries: 1, since: "earliest" });
  await g.settle("nack", idsOf(await g.pull()));
  assert.equal((await g.info())?.dead, 2);
  await partition.store.topics.remove("$dead.jobs");
  assert.deepEqual([(await g.info())?.dead, (await g.info())?.pending], [0, 0]);
  assert.equal((await partition.store.groups.redrive("jobs")).redriven, 0);
});

Deno.test("a message for later is published when it is due, in order of time, once", async () => {
  await using partition = redis.open();
  const { now } = await partition.store.position();
  const later = (n: number, at: number) => ({
    body: `{"data":${n}}`,
    options: JSON.stringify({ at, nonce: "n".repeat(16), ttl: 60_000 }),
  });
  const reply = await partition.commit({
    a: [later(2, now - 10), later(4, now + 60_000)],
    b: [later(1, now - 20), later(3, now - 5)],
  });
  assert.deepEqual(reply.special.map(([, kind]) => kind), ["later", "later", "later", "later"]);
  const { schedule } = partition.store;
  assert.equal(await schedule.head(), now - 20);
  const call = { lane: "fire", number: 1, count: 10 };
  const fired = await schedule.fire(call);
  assert.deepEqual([fired.fired, fired.next], [3, now + 60_000]);
  assert.deepEqual(await schedule.fire(call), fired, "the same call again does nothing");
  const { entries } = await partition.store.readLog({ cursor: { ms: 0, seq: 0 }, count: 10 });
  assert.deepEqual(entries.map(({ topic }) => topic), ["b", "a", "b"]);
  const token = reply.special[1]?.[2] ?? "";
  assert.deepEqual([await schedule.cancel(token), await schedule.cancel(token)], [true, false]);
  assert.equal(await schedule.head(), undefined);
});

Deno.test("a topic that is forgotten leaves nothing of the groups that it had", async () => {
  await using partition = redis.open();
  const { store } = partition;
  const group = desk(partition);
  await partition.publishOne("jobs", 1);
  await group.pull();
  await store.topics.remove("jobs");
  await store.groups.remove(group.name);
  const state = await redis.cli("HGET", store.keys.meta, "t:jobs");
  const [last, number, largest, deleted, ...rest] = state.split(" ");
  const before = Number(deleted) - 8 * 86_400_000;
  const older = [last, number, largest, before, ...rest].join(" ");
  await redis.cli("HSET", store.keys.meta, "t:jobs", older);
  await store.topics.sweep(["jobs"]);
  const keys = await redis.cli("KEYS", `${store.keys.base}:*`);
  assert.deepEqual(keys.split("\n").filter((key) => key.includes("jobs")), []);
});

Deno.test("an idempotency key of a message for later gives the same token", async () => {
  await using partition = redis.open();
  const message = (hash: string) => ({
    body: '{"data":1}',
    options: JSON.stringify({ delay: 60_000, nonce: "n".repeat(16), idem: "k", hash }),
  });
  const first = (await partition.commit({ a: [message("h"), message("h")] })).special;
  const second = (await partition.commit({ a: [message("h")] })).special;
  const third = (await partition.commit({ a: [message("other")] })).special;
  assert.deepEqual([...first, ...second, ...third].map(([, kind]) => kind), [
    "later",
    "laterdup",
    "laterdup",
    "conflict",
  ]);
  assert.equal(new Set([...first, ...second].map(([, , token, at]) => `${token} ${at}`)).size, 1);
});
