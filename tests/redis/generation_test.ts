import assert from "node:assert/strict";
import { formatId, generationOf, type Id, parseId, ZERO } from "../../lib/codec/id.ts";
import { Partition } from "../_support/partition.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { until } from "../_support/until.ts";

// by default a primary waits five seconds for more replicas
const SYNC = ["--repl-diskless-sync-delay", "0"];
const redis = shareRedis({ appendonly: false, args: [...SYNC, "--enable-debug-command", "yes"] });

const id = (text: string): Id => parseId(text) ?? assert.fail(`no id: ${text}`);
const secondsSince2026 = () => Math.floor((Date.now() - Date.UTC(2026, 0, 1)) / 1_000);

/** Gives the server a new replication id, as a promotion does. */
async function promote(): Promise<void> {
  await redis.cli("DEBUG", "CHANGE-REPL-ID");
}

Deno.test("reign begins with a generation that no other primary can have given out", async () => {
  await using partition = redis.open();
  const { generation, clock } = await partition.store.position();
  assert.ok(Math.abs(generation - secondsSince2026() * 128) < 20 * 128);
  assert.equal(generationOf(clock), generation);
  assert.equal(await redis.cli("EXISTS", partition.store.keys.gens), "0");
});

Deno.test("reign goes on as long as the replication id stays", async () => {
  await using partition = redis.open();
  await using another = partition.another();
  const { generation } = await partition.commit({ t: ["{}"] });
  assert.equal((await another.store.position()).generation, generation);
  assert.equal((await another.commit({ t: ["{}"] })).generation, generation);
});

Deno.test("reign takes over with a higher generation and records where the older one ended", async () => {
  await using partition = redis.open();
  const before = await partition.publishOne("t");
  const old = generationOf(id(before));
  await promote();
  const after = await partition.publishOne("t");
  assert.ok(generationOf(id(after)) > old);
  assert.equal(await redis.cli("HGETALL", partition.store.keys.gens), `${old}\n${before}`);
  const [first, second] = await partition.store.history({
    topic: "t",
    count: 9,
    descending: false,
  });
  assert.deepEqual([formatId(second?.previous ?? ZERO), second?.number], [before, 2]);
  assert.deepEqual([formatId(first?.id ?? ZERO), formatId(second?.id ?? ZERO)], [before, after]);
});

Deno.test("reign never repeats a generation, in whatever script it begins", async () => {
  await using partition = redis.open();
  const seen: number[] = [];
  const look = async () => seen.push((await partition.store.position()).generation);
  await partition.publishOne("t");
  await look();
  const scripts = [
    () => partition.store.position(),
    () => partition.commit({ t: ["{}"] }),
    () => partition.store.topics.remove("none"),
    () => partition.store.topics.sweep(["t"]),
    () => partition.store.probe({ channel: "nobody", number: 1 }),
    () => partition.store.readLog({ cursor: ZERO, count: 1 }),
    () => partition.store.readTopics({ cursor: ZERO, topics: ["t"], ranges: [] }),
  ];
  for (const script of scripts) {
    await promote();
    await script();
    await look();
  }
  assert.equal(new Set(seen).size, scripts.length + 1);
  assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
  assert.equal(await redis.cli("HLEN", partition.store.keys.gens), `${scripts.length}`);
});

Deno.test("reign goes beyond a generation that only its caller has seen", async () => {
  await using partition = redis.open();
  await partition.publishOne("t");
  // the caller has seen a primary whose clock was ahead, and which is gone
  const ahead = secondsSince2026() * 128 + 1_000_000;
  await redis.cli("HSET", partition.store.keys.meta, "gen", `${ahead}`);
  await partition.store.position();
  await redis.cli("HSET", partition.store.keys.meta, "gen", "5");
  await promote();
  assert.equal((await partition.store.position()).generation, ahead + 1);
});

Deno.test("reign refuses a caller that has seen a later generation of the same primary", async () => {
  await using partition = redis.open();
  await partition.publishOne("t");
  const { generation } = await partition.store.position();
  await redis.cli("HSET", partition.store.keys.meta, "gen", `${generation - 1}`);
  const stale = { code: "stale_primary", outcome: "refused" };
  await assert.rejects(partition.store.position(), stale);
  await assert.rejects(partition.commit({ t: ["{}"] }), stale);
  await assert.rejects(partition.store.readLog({ cursor: ZERO, count: 1 }), stale);
  await assert.rejects(partition.store.topics.remove("t"), stale);
  assert.equal(await redis.cli("XLEN", partition.store.keys.topic("t")), "1");
});

Deno.test("reign keeps an older commit's record after a takeover", async () => {
  await using partition = redis.open();
  const first = await partition.commit({ t: ["{}"] }, { number: 3 });
  await promote();
  assert.deepEqual(await partition.commit({ t: ["{}"] }, { number: 3 }), first);
  assert.equal(await redis.cli("XLEN", partition.store.keys.topic("t")), "1");
});

Deno.test("position goes on at the end of the generation below one that is not known", async () => {
  await using partition = redis.open();
  const { keys } = partition.store;
  const resolve = async (cursor: Id) => {
    const { cursor: goOn, lost } = await partition.store.position({ cursor });
    return [goOn, lost];
  };
  const g1 = id(await partition.publishOne("t"));
  await promote();
  const g2 = id(await partition.publishOne("t"));
  await promote();
  await partition.publishOne("t");
  assert.equal(await redis.cli("HDEL", keys.gens, String(generationOf(g2))), "1");
  assert.deepEqual(await resolve(g2), [g1, true]);
  assert.equal(await redis.cli("HDEL", keys.gens, String(generationOf(g1))), "1");
  assert.deepEqual(await resolve(g2), [ZERO, true]);
});

Deno.test("position resolves a cursor of each kind", async (t) => {
  await using partition = redis.open();
  const { keys } = partition.store;
  const g1 = id(await partition.publishOne("t"));
  await promote();
  const g2 = id(await partition.publishOne("t"));
  const { clock } = await partition.store.position();
  const resolve = async (cursor: Id) => {
    const { cursor: goOn, lost } = await partition.store.position({ cursor });
    return [goOn, lost];
  };
  const beyond = ({ ms, seq }: Id): Id => ({ ms, seq: seq + 1 });
  await t.step("one of this generation stands where it is", async () => {
    assert.deepEqual(await resolve(g2), [g2, false]);
  });
  await t.step("one above the clock saw a lost tail and goes on at the clock", async () => {
    assert.deepEqual(await resolve(beyond(g2)), [clock, true]);
  });
  await t.step("one of an older generation, at its end or below, has missed nothing", async () => {
    assert.deepEqual(await resolve(g1), [g1, false]);
    const below = { ms: g1.ms - 5, seq: g1.seq };
    assert.deepEqual(await resolve(below), [below, false]);
  });
  await t.step("one above its generation's end goes on there", async () => {
    assert.deepEqual(await resolve(beyond(g1)), [g1, true]);
    assert.deepEqual(await resolve({ ms: g1.ms + 1, seq: g1.seq }), [g1, true]);
  });
  await t.step("a bare time has lost nothing, and none lies after the clock", async () => {
    assert.deepEqual(await resolve({ ms: g1.ms - 1, seq: 0 }), [{ ms: g1.ms - 1, seq: 0 }, false]);
    assert.deepEqual(await resolve({ ms: g2.ms + 1, seq: 0 }), [clock, false]);
  });
  await t.step("one of a later generation proves this primary stale", async () => {
    const later = { ms: g2.ms, seq: g2.seq + 65_536 };
    await assert.rejects(partition.store.position({ cursor: later }), { code: "stale_primary" });
  });
  assert.equal(await redis.cli("HLEN", keys.gens), "1");
});

Deno.test("position tells what is known of topics, and where a deleted one ended", async () => {
  await using partition = redis.open();
  const last = id(await partition.publishOne("t", "x".repeat(100)));
  await partition.publishOne("gone");
  await partition.store.topics.remove("gone");
  const { topics, now } = await partition.store.position({ topics: ["t", "none", "gone"] });
  const [t, none, gone] = topics;
  assert.deepEqual(t, { last, count: 1, largest: '{"data":""}'.length + 100 });
  assert.equal(none, undefined);
  assert.ok(gone?.deletedAt !== undefined && Math.abs(gone.deletedAt - now) < 10_000);
});

Deno.test("every script refuses a replica, whose clock may be behind", async () => {
  await using replica = await startRedis({ appendonly: false });
  await using partition = redis.open();
  const last = await partition.publishOne("t");
  await replica.cli("REPLICAOF", "127.0.0.1", `${redis.server.port}`);
  await using reader = partition.another({ url: replica.url });
  await until(async () => await replica.cli("EXISTS", partition.store.keys.log) === "1");
  const readonly = { code: "redis_readonly", outcome: "refused" };
  await assert.rejects(reader.store.position(), readonly);
  await assert.rejects(reader.commit({ t: ["{}"] }), readonly);
  await assert.rejects(reader.store.readLog({ cursor: ZERO, count: 1 }), readonly);
  await assert.rejects(reader.store.topics.remove("t"), readonly);
  await assert.rejects(reader.store.topics.sweep(["t"]), readonly);
  await assert.rejects(reader.store.checkWrite(), readonly);
  const { clock } = await partition.store.position();
  assert.equal(formatId(clock), last);
});

Deno.test("a promoted replica goes on after what it has, and tells who saw more", async () => {
  await using primary = await startRedis({ appendonly: false, args: SYNC });
  await using replica = await startRedis({ appendonly: false });
  await replica.cli("REPLICAOF", "127.0.0.1", `${primary.port}`);
  await using before = new Partition(primary.url);
  const kept = await before.publishOne("t", "kept");
  const { keys } = before.store;
  await until(async () => await replica.cli("HGET", keys.meta, "clock") === kept);
  await replica.cli("REPLICAOF", "NO", "ONE");
  const lost = await before.publishOne("t", "lost");
  await using after = before.another({ url: replica.url });
  const seen = await after.store.position({ cursor: id(lost) });
  assert.deepEqual([seen.cursor, seen.lost], [id(kept), true]);
  const fresh = await after.publishOne("t", "fresh");
  assert.ok(generationOf(id(fresh)) > generationOf(id(lost)));
  // whoever saw the new primary neither reads nor writes the old one any more
  const cursor = id(fresh);
  await assert.rejects(before.store.position({ cursor }), { code: "stale_primary" });
  const entries = await after.store.history({ topic: "t", count: 9, descending: false });
  assert.deepEqual(entries.map(({ id }) => formatId(id)), [kept, fresh]);
});

Deno.test("PartitionStore.readFrames() reads nothing for a log that was read under another generation", async () => {
  await using partition = redis.open();
  await partition.publish("t", 1, 2);
  const { position, entries } = await partition.store.readLog({ cursor: ZERO, count: 10 });
  const read = () => partition.store.readFrames(entries, position);
  assert.equal((await read())[0]?.length, 2);
  await promote();
  await assert.rejects(read(), { code: "stale_primary" });
  assert.equal((await partition.store.readFrames(entries))[0]?.length, 2);
});
