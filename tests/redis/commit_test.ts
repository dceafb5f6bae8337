import assert from "node:assert/strict";
import { compareIds, type Id, parseId } from "../../lib/codec/id.ts";
import { listenRaw } from "../_support/raw_channel.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import type { Partition } from "../_support/partition.ts";

const redis = shareRedis();

const id = (text: string | undefined): Id => parseId(text ?? "") ?? assert.fail(`no id: ${text}`);
const body = (data: unknown) => JSON.stringify({ data });

async function idsOf(partition: Partition, topic: string): Promise<string[]> {
  const entries = await partition.store.history({ topic, count: 10_000, descending: false });
  return entries.map(({ message }) => message.id ?? assert.fail());
}

function assertRising(ids: readonly (string | undefined)[]): void {
  for (const [i, text] of ids.entries()) {
    if (i > 0) assert.ok(compareIds(id(ids[i - 1]), id(text)) < 0, `${ids[i - 1]} < ${text}`);
  }
}

Deno.test("commit gives out strictly rising ids across topics and calls", async () => {
  await using partition = redis.open();
  const all: string[] = [];
  for (let i = 0; i < 20; i++) {
    const bodies = { b: [body(i), body(i)], a: [body(i)], c: [body(i)] };
    const { firsts, clock } = await partition.commit(bodies);
    assert.equal(firsts.length, 3);
    assert.equal(firsts[2], clock, "the clock is the last id");
    all.push(...firsts);
  }
  assertRising(all);
  assert.deepEqual(await idsOf(partition, "c"), all.filter((_, i) => i % 3 === 2));
  assertRising(await idsOf(partition, "b"));
});

Deno.test("commit gives out rising ids to many processes at once", async () => {
  await using partition = redis.open();
  const writers = Array.from({ length: 4 }, () => partition.another());
  await Promise.all(writers.map(async (writer, w) => {
    for (let i = 0; i < 25; i++) await writer.publish(`t${w}`, i, i);
  }));
  const lists = await Promise.all(writers.map((_, w) => idsOf(partition, `t${w}`)));
  await Promise.all(writers.map((writer) => writer[Symbol.asyncDispose]()));
  assert.deepEqual(lists.map(({ length }) => length), [50, 50, 50, 50]);
  assert.equal(new Set(lists.flat()).size, 200);
  assert.equal(await redis.cli("XLEN", partition.store.keys.log), "100");
});

Deno.test("commit keeps ids within their generation when a millisecond is full", async (t) => {
  for (const taken of [65_535, 65_534, 65_000]) {
    await t.step(`${taken} taken`, async () => {
      await using partition = redis.open();
      const { generation, now } = await partition.store.position();
      // the clock stands in the future, as after a jump, so that time does not help out
      const ms = now + 3_600_000;
      await redis.cli(
        ...["HSET", partition.store.keys.meta, "clock", `${ms}-${generation * 65_536 + taken}`],
      );
      const ids = [
        ...await partition.publish("t", ...Array.from({ length: 500 }, (_, i) => i)),
        await partition.publishOne("t"),
      ];
      assertRising([`${ms}-${generation * 65_536 + taken}`, ...ids]);
      for (const text of ids) assert.equal(Math.floor(id(text).seq / 65_536), generation, text);
      assert.deepEqual(await idsOf(partition, "t"), ids);
    });
  }
});

Deno.test("commit keeps a message's real time where ids stand in the future", async () => {
  await using partition = redis.open();
  const { generation, now } = await partition.store.position();
  const future = `${now + 3_600_000}-${generation * 65_536}`;
  await redis.cli("HSET", partition.store.keys.meta, "clock", future);
  const text = await partition.publishOne("t");
  assert.equal(id(text).ms, now + 3_600_000);
  const [entry] = await partition.store.history({ topic: "t", count: 1, descending: false });
  assert.ok(Math.abs((entry?.message.time ?? 0) - now) < 60_000);
});

Deno.test("commit with a number that was done returns what it did then", async () => {
  await using partition = redis.open();
  const first = await partition.commit({ t: [body(1)] }, { number: 7 });
  const again = await partition.commit({ t: [body(1)], u: [body(2)] }, { number: 7 });
  assert.deepEqual(again, first);
  assert.deepEqual(await idsOf(partition, "t"), first.firsts);
  assert.deepEqual(await idsOf(partition, "u"), []);
});

Deno.test("commit with a lower number is refused and stores nothing", async () => {
  await using partition = redis.open();
  await partition.commit({ t: [body(1)] }, { number: 7 });
  await assert.rejects(partition.commit({ t: [body(2)] }, { number: 6 }), {
    code: "stale_commit",
    outcome: "refused",
  });
  assert.equal((await idsOf(partition, "t")).length, 1);
  await partition.commit({ t: [body(3)] }, { number: 6, lane: "another" });
  assert.equal((await idsOf(partition, "t")).length, 2);
});

Deno.test("a commit that is sent again writes, so that a link of its own can wait for replicas", async () => {
  await using partition = redis.open();
  const lane = crypto.randomUUID();
  const first = await partition.commit({ t: ["{}"] }, { number: 1, lane });
  const key = partition.store.keys.lane(lane);
  assert.equal(await redis.cli("PEXPIRE", key, "60000"), "1");
  assert.deepEqual(await partition.commit({ t: ["{}"] }, { number: 1, lane }), first);
  assert.ok(Number(await redis.cli("PTTL", key)) > 60_000);
});

Deno.test("commit chains each topic's messages and numbers them", async () => {
  await using partition = redis.open();
  await partition.publish("t", 1, 2);
  await partition.publish("u", 1);
  await partition.publish("t", 3);
  const entries = await partition.store.history({ topic: "t", count: 10, descending: false });
  assert.deepEqual(entries.map(({ number }) => number), [1, 2, 3]);
  assert.deepEqual(entries[1]?.previous, entries[0]?.id);
  assert.deepEqual(entries[2]?.previous, entries[1]?.id);
  const { topics } = await partition.store.position({ topics: ["t", "u", "none"] });
  assert.deepEqual(topics.map((state) => state?.count), [3, 1, undefined]);
  assert.deepEqual(topics[0]?.last, entries[2]?.id);
});

Deno.test("commit keeps expiry, key and body as they are", async () => {
  await using partition = redis.open();
  const options = JSON.stringify({ ttl: 60_000, key: "k ü" });
  const text = body("a\nb\u2028\r\0😀");
  await partition.commit({ "töpic": [{ body: text, options }] });
  const [entry] = await partition.store.history({ topic: "töpic", count: 1, descending: false });
  assert.equal(entry?.message.body, text);
  assert.equal(entry?.message.expires, (entry?.id.ms ?? 0) + 60_000);
  const raw = await redis.cli("XRANGE", partition.store.keys.topic("töpic"), "-", "+");
  assert.match(raw, /\nk\nk ü/);
});

Deno.test("commit publishes frames in id order, each naming the one before", async () => {
  await using partition = redis.open();
  const { keys } = partition.store;
  const { clock } = await partition.store.position();
  await using channels = await listenRaw(redis.server.url, [keys.all, keys.channel("b")]);
  const one = await partition.commit({ b: [body(1), body(2)], a: [body(3)] });
  const two = await partition.commit({ b: [body(4)] });
  const all = await channels.texts(keys.all, 3);
  const b = await channels.texts(keys.channel("b"), 2);
  const heads = all.map((text) => text.split("\n")[0]?.split(" ") ?? []);
  const lastOfB = `${id(one.firsts[1]).ms}-${id(one.firsts[1]).seq + 1}`;
  assert.deepEqual(heads.map((head) => [head[1], head[3], head[6]]), [
    [`${clock.ms}-${clock.seq}`, one.firsts[0], "a"],
    [one.firsts[0], one.firsts[1], "b"],
    [lastOfB, two.firsts[0], "b"],
  ]);
  assert.deepEqual(heads.map((head) => head[2]), ["0-0", "0-0", lastOfB]);
  assert.deepEqual(b, [all[1], all[2]]);
  assert.deepEqual(all[1]?.split("\n").slice(1), [body(1), body(2)]);
});

Deno.test("commit publishes a frame of more than 16 KiB without its bodies", async () => {
  await using partition = redis.open();
  const { keys } = partition.store;
  await using channels = await listenRaw(redis.server.url, [keys.channel("t")]);
  const of = (bytes: number) => body("x".repeat(bytes - body("").length));
  await partition.commit({ t: [of(16_384)] });
  await partition.commit({ t: [of(16_385)] });
  await partition.commit({ t: [of(8_192), of(8_193)] });
  const texts = await channels.texts(keys.channel("t"), 3);
  assert.deepEqual(texts.map((text) => [text[0], text.split("\n").length]), [
    ["F", 2],
    ["I", 1],
    ["I", 1],
  ]);
});

Deno.test("commit leaves out a topic whose key is foreign and stores the rest", async () => {
  await using partition = redis.open();
  await redis.cli("SET", partition.store.keys.topic("bad"), "theirs");
  const { firsts, special } = await partition.commit({ bad: [body(1), body(2)], good: [body(3)] });
  assert.equal(firsts[0], "");
  assert.deepEqual(special, [[0, "type", ""], [1, "type", ""]]);
  assert.deepEqual(await idsOf(partition, "good"), [firsts[1]]);
  assert.equal(await redis.cli("GET", partition.store.keys.topic("bad")), "theirs");
});

Deno.test("commit that is atomic stores nothing where one topic's key is foreign", async () => {
  await using partition = redis.open();
  await redis.cli("LPUSH", partition.store.keys.topic("bad"), "theirs");
  const bodies = { bad: [body(1)], good: [body(2), body(3)] };
  const { firsts, special } = await partition.commit(bodies, { atomic: true });
  assert.deepEqual(firsts, ["", ""]);
  const outcomes = Object.fromEntries(special.map(([i, outcome]) => [i, outcome]));
  assert.deepEqual(outcomes, { 0: "type", 1: "aborted", 2: "aborted" });
  assert.deepEqual(await idsOf(partition, "good"), []);
  assert.equal(await redis.cli("EXISTS", partition.store.keys.log), "0");
});

Deno.test("commit stores nothing half where one of the partition's own keys is foreign", async (t) => {
  for (const name of ["meta", "log", "settings", "topics"] as const) {
    await t.step(name, async () => {
      await using partition = redis.open();
      await redis.cli("SET", partition.store.keys[name], "theirs");
      await assert.rejects(partition.commit({ t: [body(1)] }), { code: "wrong_type" });
      assert.deepEqual(await redis.cli("EXISTS", partition.store.keys.topic("t")), "0");
      assert.equal(await redis.cli("GET", partition.store.keys[name]), "theirs");
    });
  }
});

Deno.test("commit is refused while the partition is not open, other than one that was done", async () => {
  await using partition = redis.open();
  const done = await partition.commit({ t: [body(1)] }, { number: 1 });
  await redis.cli("HSET", partition.store.keys.meta, "state", "frozen");
  assert.deepEqual(await partition.commit({ t: [body(1)] }, { number: 1 }), done);
  await assert.rejects(partition.commit({ t: [body(2)] }, { number: 2 }), {
    code: "partition_closed",
  });
  await assert.rejects(partition.store.topics.remove("t"), { code: "partition_closed" });
  await assert.rejects(partition.store.topics.sweep(["t"]), { code: "partition_closed" });
  assert.equal((await idsOf(partition, "t")).length, 1);
});

Deno.test("commit takes the largest call that the committer makes", async () => {
  await using partition = redis.open();
  const bodies = Object.fromEntries(
    Array.from({ length: 1_000 }, (_, i) => [`t${i}`, [{
      body: body(i),
      options: JSON.stringify({ idem: `k${i}`, hash: "h", ttl: 1_000, key: "k" }),
    }]]),
  );
  const { firsts, special } = await partition.commit(bodies, { atomic: true });
  assert.deepEqual(special, []);
  assertRising(firsts);
  assert.equal(await redis.cli("XLEN", partition.store.keys.log), "1000");
});
