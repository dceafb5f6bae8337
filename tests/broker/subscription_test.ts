import assert from "node:assert/strict";
import { NDJSON, SSE } from "../../lib/broker/encoder.ts";
import { compareIds, formatId, type Id, parseId } from "../../lib/codec/id.ts";
import { withMethods } from "../_support/feed_listener.ts";
import { MemorySink } from "../_support/memory_sink.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { Stage } from "../_support/stage.ts";
import { deadline, until } from "../_support/until.ts";

const redis = shareRedis({ appendonly: false, args: ["--enable-debug-command", "yes"] });

const DAY_MS = 86_400_000;
const id = (text: string | undefined): Id => parseId(text ?? "") ?? assert.fail(`no id: ${text}`);

Deno.test("Subscription replays, goes live and gives everything once and in order", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const published = await partition.publish("a", 1, 2, 3);
  const { sink, subscription } = await stage.subscribeLive("a", { since: "earliest" });
  published.push(...await partition.publish("a", 4, 5), await partition.publishOne("a", 6));
  assert.deepEqual(await sink.count(6), published);
  assert.equal(subscription.state, "live");
  assert.equal(sink.lastEventId, published.at(-1));
});

Deno.test("Subscription from latest gives what is published after it opened, and nothing before", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const before = await partition.publishOne("a", "before");
  const { sink } = await stage.subscribe("a");
  const after = await partition.publishOne("a", "after");
  assert.deepEqual(await sink.count(1), [after]);
  assert.deepEqual(sink.told("$ready").map(({ cursor }) => cursor), [before]);
});

Deno.test("Subscription says first who it is and where it starts", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const { sink, subscription } = await stage.subscribe("a");
  const [first] = sink.blocks;
  const { clock } = await partition.store.position();
  assert.deepEqual([first?.event, first?.retry, first?.id], ["$ready", 2_000, formatId(clock)]);
  assert.deepEqual(JSON.parse(first?.data ?? ""), {
    subscription: subscription.id,
    cursor: formatId(clock),
  });
});

Deno.test("Subscription starts where it was asked to", async (t) => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const published: string[] = [];
  for (let i = 0; i < 5; i++) published.push(await partition.publishOne("a", i));
  const cases: [since: string, from: number][] = [
    ["earliest", 0],
    ["0-0", 0],
    ["last:2", 3],
    ["last:0", 5],
    ["last:100", 0],
    ["10m", 0],
    [new Date(Date.now() - DAY_MS).toISOString(), 0],
    [new Date(Date.now() + DAY_MS).toISOString(), 5],
    [`${Date.now() + DAY_MS}-0`, 5],
    [published[1] ?? "", 2],
  ];
  for (const [since, from] of cases) {
    await t.step(since, async () => {
      for (const names of ["a", "*"]) {
        const { sink, ended } = await stage.subscribe(names, { since, wait: false });
        await ended;
        assert.deepEqual(sink.ids, published.slice(from));
        assert.deepEqual(sink.told("$gap"), []);
      }
    });
  }
});

Deno.test("Subscription from a time to come hides nothing of what comes before that", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  await partition.publishOne("a", "before");
  const tomorrow = Date.now() + DAY_MS;
  for (const since of [new Date(tomorrow).toISOString(), `${tomorrow}-0`]) {
    const { sink } = await stage.subscribe("a", { since });
    const next = await partition.publishOne("a", "next");
    assert.deepEqual(await sink.count(1), [next]);
  }
});

Deno.test("Subscription ends when it has caught up, where it was asked not to wait", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const published = await partition.publish("a", ...Array.from({ length: 500 }, (_, i) => i));
  const { sink, ended } = await stage.subscribe("a", { since: "earliest", wait: false });
  await ended;
  assert.deepEqual(sink.ids, published);
  assert.deepEqual(sink.told("$bye").map(({ reason }) => reason), ["caught_up"]);
  assert.equal(sink.ended, true);
  const empty = await stage.subscribe("never", { since: "earliest", wait: false });
  await empty.ended;
  assert.deepEqual(empty.sink.ids, []);
});

Deno.test("Subscription ends after as many messages as were asked for", async (t) => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const published = await partition.publish("a", 1, 2, 3, 4, 5);
  await t.step("while it replays", async () => {
    const { sink, ended } = await stage.subscribe("a", { since: "earliest", limit: 3 });
    await ended;
    assert.deepEqual(sink.ids, published.slice(0, 3));
    assert.deepEqual(sink.told("$bye").map(({ reason }) => reason), ["limit"]);
    assert.equal(sink.lastEventId, published[2], "so that the next stream goes on there");
  });
  await t.step("while it is live", async () => {
    const { sink, ended } = await stage.subscribeLive("a", { limit: 2 });
    const fresh = await partition.publish("a", 6, 7, 8);
    await ended;
    assert.deepEqual(sink.ids, fresh.slice(0, 2));
  });
  await t.step("ephemeral ones count", async () => {
    const { sink, ended } = await stage.subscribeLive("a", { limit: 2 });
    await partition.store.publishEphemeral([{ topic: "a", body: '{"data":"now"}' }]);
    const [stored] = await partition.publish("a", 9, 10);
    await ended;
    assert.deepEqual(sink.ids, [null, stored]);
  });
});

Deno.test("Subscription turns lagging when its client is slow, and live again when it has caught up", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const { sink, subscription } = await stage.subscribeLive("a");
  sink.hold();
  const published: string[] = [];
  const body = "x".repeat(10_000);
  for (let i = 0; i < 60; i++) published.push(await partition.publishOne("a", body));
  await until(() => subscription.state === "lagging");
  const given = sink.ids.length;
  assert.ok(given < 60, "what does not fit stays in Redis");
  assert.ok(sink.highWater < 2 << 20, `${sink.highWater} bytes`);
  for (let i = 0; i < 300; i++) published.push(await partition.publishOne("a", body));
  assert.ok(sink.highWater < 2 << 20, `${sink.highWater} bytes`);
  while (sink.ids.length < 360) {
    sink.take();
    await until(() => sink.backlog > 0 || sink.ids.length >= 360);
    assert.ok(sink.highWater < 2 << 20, `${sink.highWater} bytes`);
  }
  sink.release();
  await until(() => subscription.state === "live");
  published.push(await partition.publishOne("a", "last"));
  assert.deepEqual(await sink.count(361), published);
  assert.deepEqual(sink.told("$gap"), []);
});

Deno.test("Subscription that conflates reads what its client was too slow for, though the feed has it all", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const { sink, subscription } = await stage.subscribeLive("a", { conflate: true });
  sink.hold();
  const published: string[] = [];
  for (let i = 0; i < 60; i++) {
    const body = JSON.stringify({ data: "x".repeat(10_000) });
    const { firsts } = await partition.commit({ a: [{ body, options: '{"key":"k"}' }] });
    published.push(...firsts);
  }
  await until(() => subscription.state === "lagging");
  const given = sink.ids.length;
  sink.release();
  await until(() => subscription.state === "live");
  assert.deepEqual(sink.ids, [...published.slice(0, given), ...published.slice(-1)]);
  const [gap] = sink.told("$gap");
  assert.deepEqual([gap?.reason, gap?.skipped], ["conflated", 59 - given]);
});

Deno.test("Subscription goes back to reading on a break and misses nothing", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const [named, open] = [await stage.subscribeLive("a"), await stage.subscribeLive("**")];
  const published: string[] = [];
  for (let i = 0; i < 30; i++) {
    if (i % 10 === 5) await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
    published.push(await partition.publishOne("a", i));
  }
  assert.deepEqual(await named.sink.count(30), published);
  assert.deepEqual(await open.sink.count(30), published);
  await until(() => named.subscription.state === "live" && open.subscription.state === "live");
});

Deno.test("Subscription reads the log while the feed cannot be had, and stays alive meanwhile", async () => {
  await using partition = redis.open();
  let allowed = true;
  await using stage = new Stage(partition, {
    openLink: (events) =>
      allowed
        ? partition.node.openFeedLink(events)
        : Promise.reject(new Error("connect ECONNREFUSED")),
  });
  const { sink, subscription } = await stage.subscribeLive("a");
  allowed = false;
  await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
  const published = [await partition.publishOne("a", 1), await partition.publishOne("a", 2)];
  assert.deepEqual(await sink.count(2), published);
  assert.equal(subscription.state, "replaying");
  allowed = true;
  await until(() => subscription.state === "live");
  published.push(await partition.publishOne("a", 3));
  assert.deepEqual(await sink.count(3), published);
});

Deno.test("Subscription lives through failing reads", async () => {
  await using partition = redis.open();
  let failures = 3;
  const store = withMethods(partition.store, {
    readTopics: (options) =>
      failures-- > 0 ? Promise.reject(new Error("down")) : partition.store.readTopics(options),
  });
  await using stage = new Stage(partition, { store });
  const published = await partition.publish("a", 1, 2);
  const { sink } = await stage.subscribe("a", { since: "earliest" });
  assert.deepEqual(await sink.count(2), published);
});

Deno.test("Subscription announces what is gone, where it is gone", async () => {
  await using partition = redis.open({ retention: { maxMessages: 2 } });
  await using stage = new Stage(partition);
  const first = await partition.publishOne("a", 0);
  const published = await partition.publish("a", 1, 2, 3, 4);
  for (const names of ["a", "*"]) {
    const { sink } = await stage.subscribe(names, { since: first });
    await sink.count(2);
    assert.deepEqual(sink.told("$gap"), [
      { topic: "a", after: first, before: published[2], reason: "retention" },
    ]);
    const order = sink.blocks.filter(({ data }) => data !== undefined).map(({ event }) => event);
    assert.deepEqual(order, ["$ready", "$gap", "message", "message"]);
  }
});

Deno.test("Subscription announces a gap once to a browser that comes back after it", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const first = await partition.publishOne("a", 0);
  await partition.publishOne("a", 1);
  await partition.store.topics.remove("a");
  const before = await stage.subscribe("a", { since: first });
  await until(() => before.sink.told("$gap").length === 1);
  await until(() => before.sink.lastEventId !== first);
  const after = await stage.subscribe("a", { since: before.sink.lastEventId, wait: false });
  await after.ended;
  assert.deepEqual(after.sink.told("$gap"), []);
});

Deno.test("Subscription with a cursor of a lost tail says so at once and goes on", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const kept = id(await partition.publishOne("a", "kept"));
  const lost = formatId({ ms: kept.ms + 5, seq: kept.seq });
  await redis.cli("DEBUG", "CHANGE-REPL-ID");
  const fresh = await partition.publishOne("a", "fresh");
  for (const names of ["a", "*"]) {
    const { sink } = await stage.subscribe(names, { since: lost });
    assert.deepEqual(await sink.count(1), [fresh]);
    assert.deepEqual(sink.told("$gap"), [
      { topic: null, after: lost, before: null, reason: "failover" },
    ]);
    const gap = sink.blocks.find(({ event }) => event === "$gap");
    assert.equal(gap?.id, formatId(kept), "the browser's next Last-Event-ID");
  }
});

Deno.test("Subscription that is live through a failover sees each message of both generations once", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition, { probeMs: 50, probeTimeoutMs: 500 });
  const [named, open] = [await stage.subscribeLive("a"), await stage.subscribeLive("*")];
  const published: string[] = [];
  for (let i = 0; i < 12; i++) {
    if (i % 4 === 2) await redis.cli("DEBUG", "CHANGE-REPL-ID");
    published.push(await partition.publishOne("a", i));
  }
  assert.deepEqual(await named.sink.count(12), published);
  assert.deepEqual(await open.sink.count(12), published);
  assert.deepEqual([named.sink.told("$gap"), open.sink.told("$gap")], [[], []]);
});

Deno.test("Subscription that does not wait ends though the tail it was to reach is lost", async () => {
  await using partition = redis.open();
  const { keys } = partition.store;
  const first = await partition.publishOne("a", 1);
  await partition.publishOne("a", 2);
  let torn = false;
  const tear = async () => {
    if (torn) return;
    torn = true;
    await redis.cli("DEBUG", "CHANGE-REPL-ID");
    // the new primary never got the second message
    await redis.cli("HSET", keys.meta, "clock", first, "t:a", `${first} 1 10`);
    await redis.cli("XTRIM", keys.topic("a"), "MAXLEN", "=", "0");
  };
  const store = withMethods(partition.store, {
    readTopics: async (options) => {
      await tear();
      return await partition.store.readTopics(options);
    },
  });
  await using stage = new Stage(partition, { store });
  const { ended } = await stage.subscribe("a", { since: first, wait: false });
  await deadline(ended, 5_000, "the end of the stream");
});

Deno.test("Subscription.end() says good-bye with a spread-out retry, also to a client that never reads", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const streams = await Promise.all(
    Array.from({ length: 20 }, () => stage.subscribeLive("a")),
  );
  const stuck = await stage.subscribeLive("a");
  stuck.sink.hold();
  await partition.publishOne("a", "x".repeat(600_000));
  await until(() => stuck.subscription.state === "lagging");
  for (const { subscription } of [...streams, stuck]) subscription.end("shutdown");
  await deadline(Promise.all([...streams, stuck].map(({ ended }) => ended)), 2_000, "the ends");
  const byes = streams.map(({ sink }) => sink.blocks.at(-1));
  for (const bye of byes) {
    const { reason, retryMs } = JSON.parse(bye?.data ?? "");
    assert.deepEqual([reason, bye?.retry], ["shutdown", retryMs]);
    assert.ok(retryMs >= 500 && retryMs <= 5_500);
  }
  assert.ok(new Set(byes.map((bye) => bye?.retry)).size > 10, "not all at the same time");
  assert.ok(
    streams.every(({ sink, subscription }) => sink.ended && subscription.state === "closed"),
  );
});

Deno.test("Subscription ends after its lifetime", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const { sink, ended } = await stage.subscribeLive("a", { lifetimeMs: 50 });
  await ended;
  assert.deepEqual(sink.told("$bye").map(({ reason }) => reason), ["time"]);
});

Deno.test("Subscription ends without a word when its client has gone, and gives its channels back", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition, { lingerMs: 0, probeMs: 10, probeTimeoutMs: 500 });
  const gone = new MemorySink();
  gone.leave();
  const never = await stage.subscribe("a", { sink: gone });
  await never.ended;
  for (const since of ["latest", "earliest"]) {
    const { sink, ended, subscription } = await stage.subscribeLive("a", { since });
    sink.leave();
    await ended;
    assert.deepEqual([subscription.state, sink.told("$bye")], ["closed", []]);
  }
  const { keys } = partition.store;
  await until(async () => await redis.cli("PUBSUB", "CHANNELS", keys.channel("a")) === "");
});

Deno.test("Subscription.beat() moves a live cursor to what is proven, and no other", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition, { probeMs: 20, probeTimeoutMs: 300 });
  const { sink, subscription } = await stage.subscribeLive("a");
  const elsewhere = await partition.publishOne("b", 1);
  await until(() => {
    subscription.beat();
    return sink.lastEventId === elsewhere;
  });
  assert.deepEqual(sink.events("message"), []);
  const [ready] = sink.told("$ready");
  assert.ok(compareIds(id(String(ready?.cursor)), id(elsewhere)) < 0);
  const resumed = await stage.subscribe("a", { since: sink.lastEventId, wait: false });
  await resumed.ended;
  assert.deepEqual(resumed.sink.ids, []);
});

Deno.test("Subscription.beat() is silent towards a client that does not read, and after the end", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const { sink, subscription, ended } = await stage.subscribeLive("a");
  sink.hold();
  await partition.publishOne("a", "x".repeat(300_000));
  await until(() => subscription.state === "lagging");
  const before = sink.blocks.length;
  subscription.beat();
  assert.equal(sink.blocks.length, before);
  sink.leave();
  await ended;
  subscription.beat();
  assert.equal(sink.blocks.length, before);
});

Deno.test("Subscription skips what has expired, without a gap", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  const first = await partition.publishOne("a", 0);
  await partition.commit({ a: [{ body: '{"data":"short"}', options: '{"ttl":1}' }] });
  await partition.commit({ a: [{ body: '{"data":"long"}', options: '{"ttl":60000}' }] });
  await until(async () => (await partition.store.position()).now > id(first).ms + 50);
  const { sink, ended } = await stage.subscribe("a", { since: first, wait: false });
  await ended;
  assert.deepEqual([sink.data, sink.told("$gap")], [["long"], []]);
});

Deno.test("Subscription writes the format that was asked for", async () => {
  await using partition = redis.open();
  await using stage = new Stage(partition);
  await partition.publishOne("a", "text");
  const data = await stage.subscribe("a", { since: "earliest", wait: false, encoder: SSE.data });
  await data.ended;
  assert.deepEqual(data.sink.events("message").map(({ data }) => data), ["text"]);
  const ndjson = new NdjsonSink();
  const lines = await stage.subscribe("a", {
    since: "earliest",
    wait: false,
    encoder: NDJSON.message,
    sink: ndjson,
  });
  await lines.ended;
  assert.deepEqual(ndjson.values.map(({ event, data }) => event ?? data), [
    "$ready",
    "text",
    "$bye",
  ]);
});

/** Reads lines of JSON in place of events. */
class NdjsonSink extends MemorySink {
  #text = "";

  override write(bytes: Uint8Array): void {
    this.#text += new TextDecoder().decode(bytes);
  }

  get values(): { event?: string; data?: unknown }[] {
    return this.#text.trim().split("\n").map((line) => JSON.parse(line));
  }
}
