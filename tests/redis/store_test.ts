import assert from "node:assert/strict";
import { formatId, type Id, parseId, ZERO } from "../../lib/codec/id.ts";
import { listenRaw } from "../_support/raw_channel.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis();

const id = (text: string | undefined): Id => parseId(text ?? "") ?? assert.fail(`no id: ${text}`);

/** Runs while Redis has no memory left to write. */
async function withoutMemory(run: () => Promise<void>): Promise<void> {
  await redis.cli("CONFIG", "SET", "maxmemory", "1");
  try {
    await run();
  } finally {
    await redis.cli("CONFIG", "SET", "maxmemory", "0");
  }
}

Deno.test("PartitionStore.commit() leaves nothing half written where Redis is out of memory", async (t) => {
  const bodies = { a: ["{}", "{}"], b: [{ body: "{}", options: '{"idem":"k","hash":"h"}' }] };
  await t.step("in a partition in use", async () => {
    await using partition = redis.open();
    await partition.commit({ a: ["{}"] });
    const before = await dump(partition.store.keys.base);
    await withoutMemory(async () => {
      await assert.rejects(partition.commit(bodies), {
        code: "redis_out_of_memory",
        outcome: "refused",
      });
    });
    assert.deepEqual(await dump(partition.store.keys.base), before);
    const { special } = await partition.commit(bodies);
    assert.deepEqual(special, []);
  });
  await t.step("in a new one", async () => {
    await using partition = redis.open();
    await withoutMemory(async () => {
      await assert.rejects(partition.commit(bodies), { code: "redis_out_of_memory" });
      await assert.rejects(partition.store.position(), { code: "redis_out_of_memory" });
    });
    assert.deepEqual(await dump(partition.store.keys.base), []);
    await partition.commit(bodies);
  });
});

/** Every key under a base with a digest of what it holds. */
async function dump(base: string): Promise<string[]> {
  const keys = (await redis.cli("KEYS", `${base}*`)).split("\n").filter((key) => key !== "").sort();
  const digests = keys.map((key) => redis.cli("DUMP", key));
  return (await Promise.all(digests)).map((digest, i) => `${keys[i]} ${digest}`);
}

Deno.test("PartitionStore goes on reading where Redis is out of memory", async () => {
  await using partition = redis.open();
  const [first] = await partition.publish("a", 1, 2);
  await withoutMemory(async () => {
    const upTo = (await partition.store.position()).clock;
    const ranges = [{ topic: "a", after: id(first), upTo, count: 9 }];
    const read = await partition.store.readTopics({ cursor: ZERO, topics: ["a"], ranges });
    assert.equal(read.ranges[0]?.length, 1);
    assert.equal((await partition.store.readLog({ cursor: ZERO, count: 9 })).entries.length, 1);
    assert.equal((await partition.store.topics.info("a"))?.length, 2);
    assert.deepEqual(await partition.store.floors(["a"]), [ZERO]);
  });
});

Deno.test("PartitionStore sends its scripts again where the server has forgotten them", async () => {
  await using partition = redis.open();
  const { store } = partition;
  const calls = [
    () => partition.publishOne("a"),
    () => store.position(),
    () => store.readLog({ cursor: ZERO, count: 1 }),
    () => store.readTopics({ cursor: ZERO, topics: ["a"], ranges: [] }),
    () => store.floors(["a"]),
    () => store.topics.sweep(["a"]),
    () => store.topics.remove("a"),
    () => store.probe({ channel: "nobody", number: 1 }),
  ];
  for (const call of calls) {
    await redis.cli("SCRIPT", "FLUSH");
    await call();
  }
});

Deno.test("PartitionStore.history() reads both ways between exclusive bounds", async () => {
  await using partition = redis.open();
  const ids = await partition.publish("a", 0, 1, 2, 3, 4);
  const read = async (
    options: { after?: string; before?: string; descending?: boolean; count?: number },
  ) => {
    const { after, before, descending = false, count = 9 } = options;
    const entries = await partition.store.history({
      topic: "a",
      after: after === undefined ? undefined : id(after),
      before: before === undefined ? undefined : id(before),
      count,
      descending,
    });
    return entries.map((entry) => ids.indexOf(formatId(entry.id)));
  };
  assert.deepEqual(await read({}), [0, 1, 2, 3, 4]);
  assert.deepEqual(await read({ descending: true }), [4, 3, 2, 1, 0]);
  assert.deepEqual(await read({ after: ids[1] ?? "", before: ids[4] ?? "" }), [2, 3]);
  assert.deepEqual(await read({ before: ids[3] ?? "", descending: true, count: 2 }), [2, 1]);
  assert.deepEqual(await read({ after: ids[4] ?? "" }), []);
});

Deno.test("PartitionStore.topics() lists names in byte order, by prefix and page by page", async () => {
  await using partition = redis.open();
  const names = ["a", "a.1", "a.10", "a.2", "b", "ä", "😀", "\uffee"];
  for (const name of names) await partition.publishOne(name);
  const list = async (options: { prefix?: string; after?: string; count: number }) =>
    (await partition.store.topics.list(options)).map(({ topic }) => topic);
  assert.deepEqual(await list({ count: 99 }), [
    "a",
    "a.1",
    "a.10",
    "a.2",
    "b",
    "ä",
    "\uffee",
    "😀",
  ]);
  assert.deepEqual(await list({ count: 2 }), ["a", "a.1"]);
  assert.deepEqual(await list({ after: "a.1", count: 2 }), ["a.10", "a.2"]);
  assert.deepEqual(await list({ prefix: "a.", count: 99 }), ["a.1", "a.10", "a.2"]);
  assert.deepEqual(await list({ prefix: "a.", after: "a.10", count: 99 }), ["a.2"]);
  assert.deepEqual(await list({ prefix: "zzz", count: 99 }), []);
  const [first] = await partition.store.topics.list({ count: 1 });
  assert.equal(first?.state?.count, 1);
});

Deno.test("PartitionStore.topicInfo() tells what a topic holds, and nothing of one that never was", async () => {
  await using partition = redis.open({ retention: { maxMessages: 3 } });
  const ids = await partition.publish("a", 1, 2, 3, 4, 5);
  const { bytes, ...info } = await partition.store.topics.info("a") ?? assert.fail();
  assert.deepEqual(info, { length: 3, firstId: ids[2], lastId: ids[4], count: 5, settings: {} });
  assert.ok(bytes > 0);
  assert.equal(await partition.store.topics.info("none"), undefined);
});

Deno.test("PartitionStore.publishEphemeral() reaches who listens now and stores nothing", async () => {
  await using partition = redis.open();
  const { keys } = partition.store;
  await using channels = await listenRaw(redis.server.url, [keys.channel("a"), keys.all]);
  await partition.store.publishEphemeral([{ topic: "a", body: '{"data":1}' }]);
  const [text = ""] = await channels.texts(keys.all, 1);
  assert.match(text, /^E \d{13} a\n\{"data":1\}$/);
  assert.deepEqual(await channels.texts(keys.channel("a"), 1), [text]);
  assert.equal(await redis.cli("KEYS", `${keys.base}:t:*`), "");
});

Deno.test("PartitionStore keeps prefixes and logical databases apart, channels too", async () => {
  await using partition = redis.open();
  await using other = redis.open();
  await using third = partition.another({ url: `${redis.server.url}/3` });
  await partition.publishOne("a", "of the first");
  for (const one of [other, third]) {
    assert.equal(await one.store.topics.info("a"), undefined);
    assert.notEqual(one.store.keys.all, partition.store.keys.all);
    assert.notEqual(one.store.keys.channel("a"), partition.store.keys.channel("a"));
  }
  await third.publishOne("a", "of the third");
  assert.equal(await redis.cli("-n", "3", "XLEN", third.store.keys.topic("a")), "1");
});

Deno.test("PartitionStore.checkWrite() finds out whether messages would be taken", async () => {
  await using partition = redis.open();
  await partition.store.checkWrite();
  await withoutMemory(async () => {
    await assert.rejects(partition.store.checkWrite(), { code: "redis_out_of_memory" });
  });
});
