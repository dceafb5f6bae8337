import assert from "node:assert/strict";
import { Reader } from "../../lib/broker/reader.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import { formatId, type Id, parseId, ZERO } from "../../lib/codec/id.ts";
import { readAll } from "../_support/read_all.ts";
import { shareRedis } from "../_support/shared_redis.ts";

const redis = shareRedis({ appendonly: false, args: ["--enable-debug-command", "yes"] });

const id = (text: string | undefined): Id => parseId(text ?? "") ?? assert.fail(`no id: ${text}`);
const filter = (...names: string[]) => new TopicFilter(names);

Deno.test("Reader gives the messages of named topics in one order", async () => {
  await using partition = redis.open();
  const published: string[] = [];
  for (let i = 0; i < 30; i++) published.push(await partition.publishOne(`t${i % 3}`, i));
  await partition.publishOne("other", "no");
  const read = await readAll(new Reader(partition.store), filter("t0", "t1", "t2"), {
    cursor: ZERO,
  });
  assert.deepEqual(read.ids, published);
  assert.deepEqual(read.gaps, []);
});

Deno.test("Reader goes on after any message id, for names as for patterns", async () => {
  await using partition = redis.open();
  const published: string[] = [];
  for (let i = 0; i < 6; i++) {
    published.push(...await partition.publish("a.1", i, i), await partition.publishOne("a.2", i));
  }
  const reader = new Reader(partition.store);
  for (const names of [["a.1", "a.2"], ["a.*"], ["a.1", "*.2"]]) {
    for (const [i, text] of published.entries()) {
      const { ids, gaps } = await readAll(reader, filter(...names), { cursor: id(text) });
      assert.deepEqual(ids, published.slice(i + 1), `${names} after ${i}`);
      assert.deepEqual(gaps, []);
    }
  }
});

Deno.test("Reader gives a pattern what it matches and nothing else", async () => {
  await using partition = redis.open();
  const a = await partition.publishOne("orders.a");
  await partition.publishOne("other");
  await partition.publishOne("orders.a.b");
  const b = await partition.publishOne("orders.b");
  const named = await partition.publishOne("named");
  const read = await readAll(new Reader(partition.store), filter("orders.*", "named"), {
    cursor: ZERO,
  });
  assert.deepEqual(read.ids, [a, b, named]);
});

Deno.test("Reader parts what is much into pages, for names as for patterns", async () => {
  await using partition = redis.open();
  for (let i = 0; i < 12; i++) {
    await partition.publish("a", ...Array.from({ length: 300 }, (_, k) => i * 300 + k));
    await partition.publish("b", ...Array.from({ length: 50 }, (_, k) => i * 50 + k));
  }
  for (const names of [["a", "b"], ["*"]]) {
    const read = await readAll(new Reader(partition.store), filter(...names), { cursor: ZERO });
    assert.equal(read.ids.length, 12 * 350);
    assert.deepEqual(
      read.ids,
      [...read.ids].sort((a, b) => id(a).ms - id(b).ms || id(a).seq - id(b).seq),
    );
    assert.ok(read.pages.length > 1);
  }
});

Deno.test("Reader bounds its pages by bytes, one message apart", async () => {
  await using partition = redis.open();
  const large = "x".repeat(300_000);
  for (let i = 0; i < 12; i++) await partition.publishOne(`t${i % 2}`, large);
  const huge = await partition.publishOne("t0", "y".repeat(3 << 20));
  for (const names of [["t0", "t1"], ["*"]]) {
    const read = await readAll(new Reader(partition.store), filter(...names), { cursor: ZERO });
    assert.equal(read.ids.length, 13);
    for (const { batch } of read.pages) {
      assert.ok(batch.bytes <= (1 << 20) || batch.ids.length === 1, `${names}: ${batch.bytes}`);
    }
    assert.equal(read.ids.at(-1), huge);
  }
});

Deno.test("Reader announces what retention took before it could be read", async (t) => {
  for (const names of [["t", "u"], ["*"]]) {
    await t.step(names.join(), async () => {
      await using partition = redis.open({ retention: { maxMessages: 3 } });
      const first = await partition.publishOne("t", 0);
      const kept: string[] = [];
      for (let i = 0; i < 8; i++) kept.push(await partition.publishOne("t", i));
      const u = await partition.publishOne("u", 0);
      const read = await readAll(new Reader(partition.store), filter(...names), {
        cursor: id(first),
      });
      assert.deepEqual(read.ids, [...kept.slice(5), u]);
      assert.deepEqual(read.gaps, [
        { topic: "t", after: first, before: kept[5], reason: "retention" },
      ]);
      const whole = await readAll(new Reader(partition.store), filter(...names), {
        cursor: id(kept[4]),
      });
      assert.deepEqual([whole.ids, whole.gaps], [[...kept.slice(5), u], []]);
    });
  }
});

Deno.test("Reader announces a deleted topic, and what came after its deletion", async (t) => {
  for (const names of [["t"], ["*"]]) {
    await t.step(names.join(), async () => {
      await using partition = redis.open();
      const [first] = await partition.publish("t", 1, 2, 3);
      await partition.store.topics.remove("t");
      const reader = new Reader(partition.store);
      const gone = await readAll(reader, filter(...names), { cursor: id(first) });
      assert.deepEqual(gone.ids, []);
      assert.deepEqual(gone.gaps.map(({ topic, after, before }) => [topic, after, before]), [
        ["t", first, null],
      ]);
      const fresh = await partition.publishOne("t", 4);
      const again = await readAll(new Reader(partition.store), filter(...names), {
        cursor: id(first),
      });
      assert.deepEqual(again.ids, [fresh]);
      assert.deepEqual(again.gaps.map(({ after, before }) => [after, before]), [[first, fresh]]);
      const after = await readAll(new Reader(partition.store), filter(...names), {
        cursor: gone.cursor,
      });
      assert.deepEqual([after.ids, after.gaps], [[fresh], []]);
    });
  }
});

Deno.test("Reader says that a named topic was deleted rather than trimmed", async () => {
  await using partition = redis.open();
  const first = await partition.publishOne("t", 1);
  await partition.publishOne("t", 2);
  await partition.store.topics.remove("t");
  const { gaps } = await readAll(new Reader(partition.store), filter("t"), { cursor: id(first) });
  assert.deepEqual(gaps.map(({ reason }) => reason), ["deleted"]);
});

Deno.test("Reader announces a topic that was forgotten at its next message", async () => {
  await using partition = redis.open();
  const first = await partition.publishOne("t", 1);
  const last = await partition.publishOne("t", 2);
  await partition.store.topics.remove("t");
  const ago = Date.now() - 8 * 86_400_000;
  await redis.cli("HSET", partition.store.keys.meta, "t:t", `${last} 2 10 ${ago}`);
  await partition.store.topics.sweep(["t"]);
  const fresh = await partition.publishOne("t", 3);
  for (const names of [["t"], ["*"]]) {
    const read = await readAll(new Reader(partition.store), filter(...names), {
      cursor: id(first),
    });
    assert.deepEqual(read.ids, [fresh]);
    assert.equal(read.gaps.length, 1, names.join());
  }
});

Deno.test("Reader.floors() leaves out of earliest what was trimmed before, not what is since", async () => {
  await using partition = redis.open({ retention: { maxMessages: 2 } });
  await partition.publish("t", 1, 2, 3, 4);
  await partition.publish("u", 1);
  await partition.publishOne("gone", 1);
  await partition.store.topics.remove("gone");
  for (const names of [["t", "u", "gone", "never"], ["*"]]) {
    const wanted = filter(...names);
    const reader = new Reader(partition.store);
    const floors = await reader.floors(wanted, await reader.position(wanted, ZERO));
    const read = await readAll(reader, wanted, { cursor: ZERO, floors });
    assert.deepEqual([read.data, read.gaps], [[3, 4, 1], []], names.join());
  }
  const wanted = filter("t");
  const reader = new Reader(partition.store);
  const floors = await reader.floors(wanted, await reader.position(wanted, ZERO));
  await partition.publish("t", 5, 6, 7);
  const read = await readAll(reader, wanted, { cursor: ZERO, floors });
  assert.deepEqual(read.data, [6, 7]);
  assert.equal(read.gaps.length, 1, "4 and 5 were to be read, and are gone");
});

Deno.test("Reader.lastIds() finds the last messages over all topics", async () => {
  await using partition = redis.open();
  const published: string[] = [];
  for (let i = 0; i < 10; i++) published.push(await partition.publishOne(`t.${i % 3}`, i));
  await partition.publishOne("other");
  for (const names of [["t.0", "t.1", "t.2"], ["t.*"]]) {
    const wanted = filter(...names);
    const reader = new Reader(partition.store);
    for (const count of [0, 1, 4, 9, 10, 11, 1_000]) {
      const bound = await reader.position(wanted, ZERO);
      const ids = await reader.lastIds(wanted, { count, bound });
      const expected = count === 0 ? [] : published.slice(-count);
      assert.deepEqual(ids.map(formatId).reverse(), expected, `${names} last:${count}`);
    }
  }
});

Deno.test("Reader shares a page among those who read from the same cursor", async () => {
  await using partition = redis.open();
  await partition.publish("t", 1, 2, 3);
  const reader = new Reader(partition.store);
  const wanted = filter("t");
  const bound = await reader.position(wanted, ZERO);
  const pages = await Promise.all(
    Array.from({ length: 50 }, () => reader.page({ filter: wanted, cursor: ZERO, bound })),
  );
  assert.equal(new Set(pages).size, 1);
});

Deno.test("Reader tells a cursor that saw a lost tail, and reads nothing before that is known", async () => {
  await using partition = redis.open();
  const kept = await partition.publishOne("t", 1);
  const lost = { ms: id(kept).ms + 5, seq: id(kept).seq };
  await redis.cli("DEBUG", "CHANGE-REPL-ID");
  await partition.publishOne("t", 2);
  for (const names of [["t"], ["*"]]) {
    const wanted = filter(...names);
    const reader = new Reader(partition.store);
    const bound = await reader.position(wanted, ZERO);
    const page = await reader.page({ filter: wanted, cursor: lost, bound });
    assert.equal(page.position.lost, true);
    assert.deepEqual([formatId(page.cursor), page.batch.ids.length], [kept, 0]);
  }
});

Deno.test("Reader does not mix what was known of one generation with what is there in the next", async () => {
  await using partition = redis.open();
  const wanted = filter("t");
  const reader = new Reader(partition.store);
  const kept = id(await partition.publishOne("t", 1));
  const bound = await reader.position(wanted, kept);
  // the clock that this reader knows was of a tail that is lost, and lies in the new generation's future
  const ahead = { ...bound, clock: { ms: kept.ms + 60_000, seq: kept.seq } };
  await redis.cli("DEBUG", "CHANGE-REPL-ID");
  const fresh = await partition.publishOne("t", 2);
  const stale = await reader.page({ filter: wanted, cursor: kept, bound: ahead });
  assert.deepEqual([stale.cursor, stale.batch.ids.length], [kept, 0]);
  const page = await reader.page({ filter: wanted, cursor: stale.cursor, bound: stale.position });
  assert.deepEqual([page.position.lost, page.batch.ids.map(formatId)], [false, [fresh]]);
});

Deno.test("Reader goes on reading where Redis has no memory left to write", async () => {
  await using partition = redis.open();
  const published = await partition.publish("t", 1, 2);
  await redis.cli("CONFIG", "SET", "maxmemory", "1");
  try {
    for (const names of [["t"], ["*"]]) {
      const { ids } = await readAll(new Reader(partition.store), filter(...names), {
        cursor: ZERO,
      });
      assert.deepEqual(ids, published);
    }
  } finally {
    await redis.cli("CONFIG", "SET", "maxmemory", "0");
  }
});

Deno.test("Reader reads many topics with large messages without reading them over and over", async (t) => {
  for (const trimmed of [false, true]) {
    await t.step(trimmed ? "below the log's floor" : "by the log", async () => {
      await using partition = redis.open();
      const large = "x".repeat(100_000);
      const topics = Array.from({ length: 60 }, (_, i) => `t.${i}`);
      for (const topic of topics) await partition.publishOne(topic, large);
      if (trimmed) await redis.cli("XTRIM", partition.store.keys.log, "MAXLEN", "=", "1");
      for (const names of [topics, ["t.*"]]) {
        await redis.cli("CONFIG", "RESETSTAT");
        const { ids, pages } = await readAll(new Reader(partition.store), filter(...names), {
          cursor: ZERO,
        });
        assert.equal(ids.length, 60);
        for (const { batch } of pages) assert.ok(batch.bytes <= 2 << 20);
        const stats = await redis.cli("INFO", "stats");
        const sent = Number(/total_net_output_bytes:(\d+)/.exec(stats)?.[1]);
        assert.ok(sent < 60 * 100_000 * (trimmed ? 20 : 2), `Redis sent ${sent} bytes`);
      }
    });
  }
});
