import assert from "node:assert/strict";
import type { Feed } from "../../lib/broker/feed.ts";
import { Listener, openFeed } from "../_support/feed_listener.ts";
import type { Partition } from "../_support/partition.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

/** The partition's channels that anybody is subscribed to, those of every process aside. */
async function channelsOf(partition: Partition): Promise<string[]> {
  const { keys } = partition.store;
  const text = await redis.cli("PUBSUB", "CHANNELS", `${keys.base}*`);
  const own = (name: string) => name.includes(":p:") || name === keys.control;
  return text.split("\n").filter((name) => name !== "" && !own(name)).sort();
}

/** Lets a listener go: it no longer listens and its channels are given back. */
function leave(feed: Feed, listener: Listener): void {
  feed.leave(listener);
  feed.release(listener.filter);
}

Deno.test("Feed keeps a channel that nobody wants for a while, and then lets it go", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition, { lingerMs: 1_000, probeMs: 20, probeTimeoutMs: 500 });
  await using _ = feed;
  const { keys } = partition.store;
  const [stays, goes] = [new Listener(feed, "a"), new Listener(feed, "a", "b")];
  await stays.join(partition.store);
  await goes.join(partition.store);
  leave(feed, goes);
  assert.deepEqual(await channelsOf(partition), [keys.channel("a"), keys.channel("b")]);
  await until(async () => !(await channelsOf(partition)).includes(keys.channel("b")));
  assert.deepEqual(await channelsOf(partition), [keys.channel("a")]);
  const published = await partition.publishOne("a", 1);
  assert.deepEqual(await stays.count(1), [published]);
});

Deno.test("Feed takes a channel back at once that it has just let go", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition, { lingerMs: 0, probeMs: 5, probeTimeoutMs: 500 });
  await using _ = feed;
  for (let round = 0; round < 15; round++) {
    const listener = new Listener(feed, "a", "b");
    await listener.join(partition.store);
    const published = [
      await partition.publishOne("a", round),
      await partition.publishOne("b", round),
    ];
    assert.deepEqual(await listener.count(2), published);
    leave(feed, listener);
    if (round % 3 === 0) await until(async () => (await channelsOf(partition)).length === 0);
  }
});

Deno.test("Feed serves named topics from the partition's channel while it has that", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  const open = new Listener(feed, "**");
  await open.join(partition.store);
  const named = new Listener(feed, "a");
  await named.join(partition.store);
  assert.deepEqual(await channelsOf(partition), [partition.store.keys.all]);
  const published = await partition.publishOne("a", 1);
  assert.deepEqual([await named.count(1), await open.count(1)], [[published], [published]]);
});

Deno.test("Feed loses and repeats nothing when patterns come and go beside named topics", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition, { lingerMs: 0, probeMs: 5, probeTimeoutMs: 500 });
  await using _ = feed;
  const { keys } = partition.store;
  const [before, during] = [new Listener(feed, "a"), new Listener(feed, "b")];
  await before.join(partition.store);
  const published: { a: string[]; b: string[] } = { a: [], b: [] };
  const publishing = new AbortController();
  const publisher = (async () => {
    for (let i = 0; !publishing.signal.aborted; i++) {
      published.a.push(await partition.publishOne("a", i));
      if (during.ids.length > 0 || i === 0) published.b.push(await partition.publishOne("b", i));
    }
  })();
  for (let round = 0; round < 5; round++) {
    const open = new Listener(feed, "**");
    await open.join(partition.store);
    if (round === 0) await during.join(partition.store);
    await open.count(20);
    leave(feed, open);
    await until(async () => !(await channelsOf(partition)).includes(keys.all));
  }
  publishing.abort();
  await publisher;
  const from = published.a.indexOf(before.ids[0] ?? "");
  assert.ok(from >= 0);
  await until(() => before.ids.at(-1) === published.a.at(-1));
  assert.deepEqual(before.ids, published.a.slice(from));
  assert.deepEqual([before.breaks, during.breaks], [0, 0]);
});

Deno.test("Feed gives an ephemeral message once, on whatever channels it comes", async (t) => {
  const cases: [name: string, names: string[][]][] = [
    ["on a topic's channel", [["a"]]],
    ["on the partition's", [["**"]]],
    ["on both", [["a"], ["**"]]],
    ["on both, the other way round", [["**"], ["a"]]],
  ];
  for (const [name, filters] of cases) {
    await t.step(name, async () => {
      await using partition = redis.open();
      const { feed } = openFeed(partition);
      await using _ = feed;
      const listeners = filters.map((names) => new Listener(feed, ...names));
      for (const one of listeners) await one.join(partition.store);
      for (const n of [1, 2, 2, 2, 3]) {
        await partition.store.publishEphemeral([{ topic: "a", body: `{"data":${n}}` }]);
      }
      await partition.store.publishEphemeral([{ topic: "c", body: '{"data":"elsewhere"}' }]);
      for (const one of listeners) {
        await until(() => one.ephemeral.filter(({ topic }) => topic === "a").length >= 5);
        assert.deepEqual(
          one.ephemeral.filter(({ topic }) => topic === "a").map(({ id, body }) => [id, body]),
          [1, 2, 2, 2, 3].map((n) => [null, `{"data":${n}}`]),
        );
      }
    });
  }
});
