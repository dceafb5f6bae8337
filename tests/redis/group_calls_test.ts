import assert from "node:assert/strict";
import type { WorkOp } from "../../lib/redis/group.ts";
import { desk, gaveOf, idsOf } from "../_support/group_desk.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();

Deno.test("a call that is sent again gives its first results and does nothing twice", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("jobs", 1, 2);
  const g = desk(partition);
  const call = { lane: g.lane, number: 1, ops: [g.op({ max: 1 }), g.op({ max: 1 })] };
  const first = await partition.store.groups.work(call);
  assert.deepEqual(await partition.store.groups.work(call), first);
  assert.deepEqual(first.flatMap((one) => one.kind === "pull" ? idsOf(one) : []), ids);
  const ack = { lane: g.lane, number: 2, ops: [{ kind: "ack" as const, name: g.name, ids }] };
  const done = await partition.store.groups.work(ack);
  assert.deepEqual(done, [{ kind: "settle", done: 2, unknown: [] }]);
  assert.deepEqual(await partition.store.groups.work(ack), done);
  await assert.rejects(partition.store.groups.work(call), { code: "stale_commit" });
});

Deno.test("operations of one call see what those before them have changed", async (t) => {
  await t.step("what one ack took out is unknown to the next", async () => {
    await using partition = redis.open();
    const [id = ""] = await partition.publish("jobs", 1);
    const g = desk(partition);
    await g.pull();
    const results = await g.work(g.settling("ack", [id]), g.settling("ack", [id]), g.op());
    assert.deepEqual(gaveOf(results), [1, 0, []]);
    assert.equal((await g.info())?.pending, 0);
  });
  await t.step(
    "what is given back at once goes to the pull behind it, and no further",
    async () => {
      await using partition = redis.open();
      const [id = ""] = await partition.publish("jobs", 1);
      const g = desk(partition);
      const { lease = "" } = await g.pull();
      const results = await g.work(g.op(), g.settling("nack", [id], { lease }), g.op(), g.op());
      assert.deepEqual(gaveOf(results), [[], 1, [id], []]);
      const [, , again] = results;
      assert.deepEqual(again?.kind === "pull" && again.messages.map((one) => one.deliveries), [2]);
      assert.equal((await g.settle("nack", [id], { lease })).done, 0, "it is another's now");
    },
  );
  await t.step("a message is given to one of many pulls, due or new", async () => {
    await using partition = redis.open();
    const g = desk(partition);
    const old = await partition.publish("jobs", 1, 2, 3);
    await g.pull({ leaseMs: 0 });
    const ids = [...old, ...await partition.publish("jobs", 4, 5, 6)];
    const results = await g.work(...[2, 2, 1, 9].map((max) => g.op({ max })));
    const given = results.flatMap((one) => one.kind === "pull" ? [idsOf(one)] : []);
    assert.deepEqual(given.map(({ length }) => length), [2, 2, 1, 1]);
    assert.deepEqual(given.flat().sort(), ids);
    assert.deepEqual(results.map((one) => one.kind === "pull" && one.more), [
      true,
      true,
      true,
      false,
    ]);
  });
  await t.step("the same attempt twice gives the same messages", async () => {
    await using partition = redis.open();
    const ids = await partition.publish("jobs", 1, 2);
    const g = desk(partition);
    const op = g.op({ consumer: "a", attempt: 1, max: 1 });
    assert.deepEqual(gaveOf(await g.work(op, op, g.op({ consumer: "b" }))), [
      ids.slice(0, 1),
      ids.slice(0, 1),
      ids.slice(1),
    ]);
  });
  await t.step("a consumer may hold as many as it may, over all pulls and acks", async () => {
    await using partition = redis.open();
    const ids = await partition.publish("jobs", 1, 2, 3, 4, 5);
    const g = desk(partition);
    const op = g.op({ consumer: "a", cap: 2, process: "p1" });
    assert.deepEqual(gaveOf(await g.work(op, op, g.op({ max: 1 }))), [
      ids.slice(0, 2),
      [],
      ids.slice(2, 3),
    ]);
    const acked = g.settling("ack", ids.slice(0, 1));
    assert.deepEqual(gaveOf(await g.work(acked, op, op)), [1, ids.slice(3, 4), []]);
    const { consumers = [], pending } = await g.info() ?? {};
    assert.deepEqual([pending, consumers.map(({ leased }) => leased)], [3, [2]]);
  });
  await t.step("each pull that gives nothing says when the next is due", async () => {
    await using partition = redis.open();
    await partition.publish("jobs", 1);
    const g = desk(partition);
    const results = await g.work(g.op(), g.op({ leaseMs: 60_000 }), g.op());
    const dues = results.map((one) => one.kind === "pull" ? one.nextDue : 0);
    const [first] = results;
    const until = first?.kind === "pull" ? first.leaseUntil : undefined;
    assert.deepEqual(dues, [undefined, until, until]);
  });
});

Deno.test("one call takes back more messages than Redis takes arguments from Lua", async () => {
  await using partition = redis.open();
  const g = desk(partition);
  const numbers = Array.from({ length: 5_000 }, (_, i) => i);
  const ids = await partition.publish("jobs", ...numbers);
  const held: WorkOp[] = [];
  for (let i = 0; i < 5; i++) {
    const { lease = "", messages } = await g.pull({ max: 1_000 });
    assert.equal(messages.length, 1_000);
    const part = ids.slice(i * 1_000, (i + 1) * 1_000);
    held.push(g.settling("nack", part, { lease, delayMs: 60_000 }));
  }
  assert.deepEqual(gaveOf(await g.work(...held)), [1_000, 1_000, 1_000, 1_000, 1_000]);
  assert.deepEqual(gaveOf(await g.work(g.settling("ack", ids.slice(0, 1_000)))), [1_000]);
  assert.equal((await g.info())?.pending, 4_000);
});
