import assert from "node:assert/strict";
import { parseRedisUrl } from "../../lib/redis/address.ts";
import { FeedSocket } from "../../lib/redis/feed_socket.ts";
import { advanceId, compareIds, formatId, type Id, parseId } from "../../lib/codec/id.ts";
import { listenRaw } from "../_support/raw_channel.ts";
import { Listener, openFeed, withMethods } from "../_support/feed_listener.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis({ appendonly: false, args: ["--enable-debug-command", "yes"] });

const id = (text: string | undefined): Id => parseId(text ?? "") ?? assert.fail(`no id: ${text}`);

Deno.test("Feed gives a listener each message of its topics from the moment it joins", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  await partition.publishOne("a", "before");
  const [named, both, open] = [
    new Listener(feed, "a"),
    new Listener(feed, "a", "b"),
    new Listener(feed, "*"),
  ];
  for (const one of [named, both, open]) await one.join(partition.store);
  const a = await partition.publish("a", 1, 2);
  const b = await partition.publish("b", 3);
  const c = await partition.publish("c", 4);
  assert.deepEqual(await open.count(4), [...a, ...b, ...c]);
  assert.deepEqual(await both.count(3), [...a, ...b]);
  assert.deepEqual(await named.count(2), a);
  assert.deepEqual([named.breaks, both.breaks, open.breaks], [0, 0, 0]);
});

Deno.test("Feed takes a listener who stands within what it has, and no other", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  const before = await partition.publishOne("a", 0);
  await partition.publishOne("a", 1);
  const first = new Listener(feed, "a");
  await first.join(partition.store);
  const published = [await partition.publishOne("a", 2), await partition.publishOne("a", 3)];
  await first.count(2);
  const { generation } = await partition.store.position();
  const late = new Listener(feed, "a");
  assert.equal(
    late.joinAt(id(before), generation),
    false,
    "the message after it is not in the feed",
  );
  assert.equal(late.joinAt(id(published[0]), generation + 1), false, "another generation");
  assert.equal(late.joinAt(id(published[0]), generation), true);
  assert.deepEqual(late.ids, [published[1]]);
  const other = new Listener(feed, "b");
  assert.equal(other.joinAt(id(published[1]), generation), false, "the channel is not live");
});

Deno.test("Feed is live only after the tail was read, and misses nothing before", async () => {
  await using partition = redis.open();
  await partition.publishOne("a", "earlier");
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const store = withMethods(partition.store, {
    position: async (options) => {
      const tail = await partition.store.position(options);
      reached.resolve();
      await gate.promise;
      return tail;
    },
  });
  const { feed } = openFeed(partition, { store });
  await using _ = feed;
  const listener = new Listener(feed, "a");
  const acquired = feed.acquire(listener.filter, AbortSignal.timeout(5_000));
  await reached.promise;
  const { clock, generation } = await partition.store.position();
  // subscribed and after the tail: it comes on the link while the feed does not know yet where to begin
  const [published] = await partition.publish("a", "meanwhile");
  assert.equal(listener.joinAt(clock, generation), false);
  gate.resolve();
  await acquired;
  await until(() => listener.joinAt(clock, generation));
  assert.deepEqual(await listener.count(1), [published]);
});

Deno.test("Feed breaks on a frame whose predecessor never came, and begins anew", async (t) => {
  for (const name of ["a", "*"]) {
    await t.step(name === "a" ? "on a topic's channel" : "on the partition's", async () => {
      await using partition = redis.open();
      const { feed } = openFeed(partition);
      await using _ = feed;
      const listener = new Listener(feed, name);
      await listener.join(partition.store);
      const real = await partition.publishOne("a", 1);
      await listener.count(1);
      const { keys } = partition.store;
      const first = advanceId(id(real), 100);
      const missing = formatId(advanceId(id(real), 50));
      const forged = `F ${missing} ${missing} ${formatId(first)} 1 1 a\n{"data":"forged"}`;
      await redis.cli("PUBLISH", name === "a" ? keys.channel("a") : keys.all, forged);
      await listener.broken();
      assert.deepEqual(listener.ids, [real]);
      await listener.join(partition.store);
      const next = await partition.publishOne("a", 2);
      assert.deepEqual(await listener.count(2), [real, next]);
      assert.equal(listener.breaks, 1);
    });
  }
});

Deno.test("Feed breaks on a frame or a probe of another generation", async (t) => {
  for (const how of ["frame", "probe"]) {
    await t.step(how, async () => {
      await using partition = redis.open();
      const { feed, lines } = openFeed(partition, { probeMs: how === "probe" ? 30 : 60_000 });
      await using _ = feed;
      const listener = new Listener(feed, "a");
      await listener.join(partition.store);
      const before = await partition.publishOne("a", 1);
      await listener.count(1);
      await redis.cli("DEBUG", "CHANGE-REPL-ID");
      const between = how === "frame" ? [await partition.publishOne("a", 2)] : [];
      await listener.broken();
      assert.ok(lines.some((line) => line.includes("another generation reigns")));
      await listener.join(partition.store);
      const after = await partition.publishOne("a", 3);
      assert.deepEqual(await listener.count(2), [before, after]);
      assert.ok(!listener.ids.includes(between[0] ?? "none"), "that one is for the log to give");
    });
  }
});

Deno.test("Feed breaks when its link is lost, and comes back by itself", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  const [named, open] = [new Listener(feed, "a"), new Listener(feed, "**")];
  await named.join(partition.store);
  await open.join(partition.store);
  for (let round = 1; round <= 3; round++) {
    await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
    await Promise.all([named.broken(round), open.broken(round)]);
    await named.join(partition.store);
    await open.join(partition.store);
    const published = await partition.publishOne("a", round);
    await until(() => named.ids.at(-1) === published && open.ids.at(-1) === published);
  }
  assert.equal(named.ids.length, 3);
});

Deno.test("Feed takes a link for dead that brings no probe back, and gets another", async () => {
  await using partition = redis.open();
  await using proxy = startProxy({ port: redis.server.port });
  const address = parseRedisUrl(`redis://127.0.0.1:${proxy.port}`);
  const options = { address, connections: 1, connectTimeoutMs: 200, commandTimeoutMs: 200 };
  const { feed, lines } = openFeed(partition, {
    openLink: (events) => FeedSocket.open(options, events),
    probeMs: 100,
    probeTimeoutMs: 150,
  });
  await using _ = feed;
  const listener = new Listener(feed, "a");
  await listener.join(partition.store);
  await until(() => feed.proven.ms > 0);
  proxy.stall();
  const lost = await partition.publishOne("a", "on the dead link");
  await listener.broken();
  assert.ok(lines.some((line) => line.includes("a probe did not come back")));
  assert.deepEqual(listener.ids, []);
  proxy.unstall({ forget: true });
  await listener.join(partition.store);
  const published = await partition.publishOne("a", "on the new link");
  assert.deepEqual(await listener.count(1), [published]);
  assert.notEqual(lost, published);
});

Deno.test("Feed proves the clock by a probe that came on the link", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition, { probeMs: 20, probeTimeoutMs: 300 });
  await using _ = feed;
  const listener = new Listener(feed, "a");
  await listener.join(partition.store);
  const elsewhere = await partition.publishOne("b", 1);
  await until(() => compareIds(feed.proven, id(elsewhere)) >= 0);
  const own = await partition.publishOne("a", 1);
  await until(() => compareIds(feed.proven, id(own)) >= 0);
  assert.deepEqual(listener.ids, [own], "what is proven was given before");
});

Deno.test("Feed breaks where a probe proves that the partition's channel lost its last frame", async () => {
  await using partition = redis.open();
  const { feed, lines } = openFeed(partition, { probeMs: 30 });
  await using _ = feed;
  const listener = new Listener(feed, "**");
  await listener.join(partition.store);
  // a message that was stored and whose frame never came: its lane published it to nobody
  const { clock } = await partition.store.position();
  const { keys } = partition.store;
  await redis.cli("HSET", keys.meta, "clock", formatId(advanceId(clock, 1)));
  await listener.broken();
  assert.ok(lines.some((line) => line.includes("a frame is missing")));
});

Deno.test("Feed ignores what is not Runnel's on its channels", async () => {
  await using partition = redis.open();
  const { feed, lines, processId } = openFeed(partition);
  await using _ = feed;
  const [named, open] = [new Listener(feed, "a"), new Listener(feed, "**")];
  await named.join(partition.store);
  await open.join(partition.store);
  const { keys } = partition.store;
  const garbage = [
    "",
    "hello",
    "F",
    "F x y z",
    "F 1-1 1-1 1-1 9999999999 1 a\n{}",
    "P 1",
    "E",
    "\n\n",
  ];
  for (const text of garbage) {
    for (const channel of [keys.channel("a"), keys.all, keys.probe(processId)]) {
      await redis.cli("PUBLISH", channel, text);
    }
  }
  const published = await partition.publishOne("a", 1);
  assert.deepEqual([await named.count(1), await open.count(1)], [[published], [published]]);
  assert.deepEqual([named.breaks, open.breaks], [0, 0]);
  assert.ok(lines.some((line) => line.includes("foreign")));
});

Deno.test("Feed fetches the bodies of a frame that carries ids only, and keeps the order", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  const [named, open] = [new Listener(feed, "a"), new Listener(feed, "**")];
  await named.join(partition.store);
  await open.join(partition.store);
  const published: string[] = [];
  for (let i = 0; i < 10; i++) {
    published.push(await partition.publishOne("a", "x".repeat(i % 3 === 0 ? 50_000 : 10)));
  }
  assert.deepEqual(await named.count(10), published);
  assert.deepEqual(await open.count(10), published);
  assert.equal(named.breaks, 0);
});

Deno.test("Feed does not fetch a large frame that nobody listens to", async () => {
  await using partition = redis.open();
  let fetched = 0;
  const store = withMethods(partition.store, {
    readFrames: (frames) => {
      fetched++;
      return partition.store.readFrames(frames);
    },
  });
  const { feed } = openFeed(partition, { store });
  await using _ = feed;
  const open = new Listener(feed, "a.*");
  await open.join(partition.store);
  const { clock, generation } = await partition.store.position();
  await partition.publishOne("b", "x".repeat(50_000));
  const wanted = await partition.publishOne("a.1", 1);
  assert.deepEqual(await open.count(1), [wanted]);
  assert.equal(fetched, 0);
  const late = new Listener(feed, "**");
  await feed.acquire(late.filter, AbortSignal.timeout(5_000));
  assert.equal(late.joinAt(clock, generation), false, "the feed no longer has what was left out");
});

Deno.test("Feed breaks where a large frame was trimmed before it could be fetched", async () => {
  await using partition = redis.open();
  const store = withMethods(partition.store, { readFrames: () => Promise.resolve([[]]) });
  const { feed } = openFeed(partition, { store });
  await using _ = feed;
  const listener = new Listener(feed, "a");
  await listener.join(partition.store);
  await partition.publishOne("a", "x".repeat(50_000));
  await listener.broken();
  assert.deepEqual(listener.ids, []);
});

Deno.test("Feed breaks where a large frame's bodies cannot be fetched", async () => {
  await using partition = redis.open();
  let fail = true;
  const store = withMethods(partition.store, {
    readFrames: (frames) =>
      fail ? Promise.reject(new Error("down")) : partition.store.readFrames(frames),
  });
  const { feed } = openFeed(partition, { store });
  await using _ = feed;
  const listener = new Listener(feed, "a");
  await listener.join(partition.store);
  await partition.publishOne("a", "x".repeat(50_000));
  await listener.broken();
  fail = false;
  await listener.join(partition.store);
  const published = await partition.publishOne("a", "x".repeat(50_000));
  assert.deepEqual(await listener.count(1), [published]);
});

Deno.test("Feed.acquire() fails with the reason where Redis is away, and when its signal says so", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition, {
    openLink: () => Promise.reject(new Error("connect ECONNREFUSED")),
  });
  await using _ = feed;
  const { filter } = new Listener(feed, "a");
  await assert.rejects(feed.acquire(filter, AbortSignal.timeout(5_000)), /ECONNREFUSED/);
  const never = openFeed(partition, { openLink: () => new Promise(() => {}) }).feed;
  const late = new AbortController();
  const waiting = never.acquire(filter, late.signal);
  late.abort(new Error("too late"));
  await assert.rejects(waiting, /too late/);
});

Deno.test("Feed has one link, whatever the number of topics and listeners", async () => {
  await using partition = redis.open();
  let links = 0;
  const { feed } = openFeed(partition, {
    openLink: (events) => {
      links++;
      return partition.node.openFeedLink(events);
    },
  });
  await using _ = feed;
  const topics = Array.from({ length: 2_500 }, (_, i) => `t.${i}`);
  const all = new Listener(feed, ...topics);
  const each = topics.slice(0, 50).map((topic) => new Listener(feed, topic));
  await Promise.all([all, ...each].map((one) => one.join(partition.store)));
  const published = await partition.publishOne("t.2499", 1);
  assert.deepEqual(await all.count(1), [published]);
  assert.equal(links, 1);
});

Deno.test("Feed closes its link when it ends, also one that it is about to open", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  const acquired = feed.acquire(new Listener(feed, "a").filter, AbortSignal.timeout(5_000));
  acquired.catch(() => {});
  await feed[Symbol.asyncDispose]();
  await using raw = await listenRaw(redis.server.url, ["probe"]);
  assert.deepEqual(raw.payloads, []);
  const channels = await redis.cli("PUBSUB", "CHANNELS", `${partition.store.keys.base}*`);
  assert.equal(channels, "");
});

Deno.test("Feed.acquire() outlives a link that is lost while it waits", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  await new Listener(feed, "a").join(partition.store);
  for (let i = 0; i < 20; i++) {
    const { filter } = new Listener(feed, `b.${i}`);
    await Promise.all([
      redis.cli("CLIENT", "KILL", "TYPE", "pubsub"),
      feed.acquire(filter, AbortSignal.timeout(5_000)),
    ]);
  }
});
