import assert from "node:assert/strict";
import type { Feed } from "../../lib/broker/feed.ts";
import type { InboxListener } from "../../lib/broker/inbox.ts";
import { TopicFilter } from "../../lib/broker/topic_filter.ts";
import type { FeedWatcher } from "../../lib/broker/watchers.ts";
import { Listener, openFeed, withMethods } from "../_support/feed_listener.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { deadline, until } from "../_support/until.ts";

const redis = shareRedis();

/** Watches, and keeps what it is told. */
class Watcher implements FeedWatcher {
  readonly filter: TopicFilter;
  readonly topics: string[] = [];
  readonly wakes: [string, number][] = [];
  breaks = 0;
  leave = () => {};

  constructor(...names: string[]) {
    this.filter = new TopicFilter(names);
  }

  async begin(feed: Feed): Promise<void> {
    await feed.acquire(this.filter, AbortSignal.timeout(5_000));
    this.leave = feed.watch(this);
  }

  onActivity(topic: string): void {
    this.topics.push(topic);
  }

  onWake(group: string, dueMs: number): void {
    this.wakes.push([group, dueMs]);
  }

  onBreak(): void {
    this.breaks++;
  }
}

Deno.test("Feed.watch() tells of each commit of a matching topic, and of no other", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  const [named, open] = [new Watcher("a"), new Watcher("b.*")];
  await named.begin(feed);
  await partition.publishOne("a");
  await until(() => named.topics.length === 1);
  await open.begin(feed);
  for (const topic of ["b", "b.1", "a", "c", "b.2"]) await partition.publishOne(topic);
  await until(() => named.topics.length >= 2 && open.topics.length >= 2);
  assert.deepEqual([named.topics, open.topics], [["a", "a"], ["b.1", "b.2"]]);
  named.leave();
  await partition.publishOne("a");
  await partition.publishOne("b.3");
  await until(() => open.topics.length === 3);
  assert.equal(named.topics.length, 2);
});

Deno.test("Feed.watch() tells of a topic where only the partition's channel is live", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  const open = new Watcher("**");
  await open.begin(feed);
  const named = new Watcher("a");
  await named.begin(feed);
  const channels = await redis.cli("PUBSUB", "CHANNELS", `${partition.store.keys.base}:c:*`);
  assert.equal(channels, "");
  await partition.publishOne("a");
  await until(() => named.topics.length === 1 && open.topics.length === 1);
});

Deno.test("Feed.watch() fetches no message of a large frame", async () => {
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
  const [named, open] = [new Watcher("a"), new Watcher("**")];
  await named.begin(feed);
  await open.begin(feed);
  await partition.publishOne("a", "x".repeat(50_000));
  await partition.publishOne("b", "small");
  await until(() => open.topics.includes("b"));
  assert.ok(named.topics.includes("a"));
  assert.equal(fetched, 0);
  const listener = new Listener(feed, "a");
  await listener.join(partition.store);
  const published = await partition.publishOne("a", "x".repeat(50_000));
  assert.deepEqual(await listener.count(1), [published]);
  assert.equal(fetched, 1);
});

Deno.test("Feed.watch() tells those of a group's topic or pattern that its work may be due", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  const { keys } = partition.store;
  const [named, other] = [new Watcher("jobs|x"), new Watcher("jobs.1")];
  await named.begin(feed);
  await other.begin(feed);
  await redis.cli("PUBLISH", keys.channel("jobs|x"), "W 1700 jobs|x|workers");
  await until(() => named.wakes.length === 1);
  const open = new Watcher("jobs.*");
  await open.begin(feed);
  for (const channel of [keys.channel("jobs|x"), keys.all]) {
    await redis.cli("PUBLISH", channel, "W 1800 jobs|x|workers");
  }
  await redis.cli("PUBLISH", keys.all, "W 1900 jobs.*|workers");
  await until(() => open.wakes.length === 1);
  assert.deepEqual(named.wakes, [["jobs|x|workers", 1_700], ["jobs|x|workers", 1_800]]);
  assert.deepEqual(open.wakes, [["jobs.*|workers", 1_900]]);
  assert.deepEqual(other.wakes, []);
});

Deno.test("Feed.watch() ends with a break, and one that is too late begins with it", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  const watcher = new Watcher("a");
  await watcher.begin(feed);
  await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
  await until(() => watcher.breaks === 1);
  await feed.acquire(watcher.filter, AbortSignal.timeout(5_000));
  await partition.publishOne("a");
  assert.deepEqual(watcher.topics, [], "it was removed");
  const never = new Watcher("never acquired");
  feed.watch(never);
  await until(() => never.breaks === 1);
  const left = new Watcher("never acquired");
  feed.watch(left)();
  await watcher.begin(feed);
  await partition.publishOne("a");
  await until(() => watcher.topics.length === 1);
  assert.equal(left.breaks, 0);
});

Deno.test("Feed.watch() misses nothing that is published after it, whatever comes and goes beside it", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition, { lingerMs: 0, probeMs: 5, probeTimeoutMs: 500 });
  await using _ = feed;
  const watcher = new Watcher("a");
  await watcher.begin(feed);
  for (let round = 1; round <= 60; round++) {
    const open = new Watcher("**");
    const acquired = round % 3 === 0 ? open.begin(feed) : undefined;
    await partition.publishOne("a", round);
    await until(() => watcher.topics.length >= round, { what: `frame ${round}`, everyMs: 1 });
    await acquired;
    open.leave();
    if (acquired !== undefined) feed.release(open.filter);
    // both channels may carry a frame while the feed goes from one to the other
    watcher.topics.length = round;
  }
  assert.equal(watcher.breaks, 0);
});

Deno.test("Feed.attend() has a link of its own accord and hands on what comes for the process", async () => {
  await using partition = redis.open();
  const { feed, processId } = openFeed(partition);
  await using _ = feed;
  const { keys } = partition.store;
  const told: unknown[] = [];
  const listener: InboxListener = {
    onWake: (group, dueMs) => told.push(["wake", group, dueMs]),
    onReply: ({ id, index, body }) => told.push(["reply", id, index, body]),
    onConfirmation: (id, count) => told.push(["confirmation", id, count]),
    onLater: (dueMs) => told.push(["later", dueMs]),
  };
  const leave = feed.attend(listener);
  feed.attend({});
  await feed.online(AbortSignal.timeout(5_000));
  const own = keys.probe(processId);
  await redis.cli("PUBLISH", own, "W 1700 jobs|g");
  await redis.cli("PUBLISH", own, 'R q1 1 1700\n{"data":1}');
  await redis.cli("PUBLISH", own, "R q1 2 1700");
  await redis.cli("PUBLISH", own, "C 1-1 3");
  await redis.cli("PUBLISH", keys.control, "L 1800");
  await until(() => told.length === 5);
  assert.deepEqual(told, [
    ["wake", "jobs|g", 1_700],
    ["reply", "q1", 1, '{"data":1}'],
    ["reply", "q1", 2, undefined],
    ["confirmation", "1-1", 3],
    ["later", 1_800],
  ]);
  leave();
  let late = 0;
  feed.attend({ onLater: () => late++ });
  await redis.cli("PUBLISH", keys.control, "L 1900");
  await until(() => late === 1);
  assert.equal(told.length, 5);
});

Deno.test("Feed.attend() says each time when a new link has the process's channels", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition);
  await using _ = feed;
  let online = 0;
  feed.attend({ onOnline: () => online++ });
  await until(() => online === 1);
  await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
  await until(() => online === 2);
  await feed.online(AbortSignal.timeout(5_000));
});

Deno.test("Feed.online() fails with the reason where Redis is away, and when its signal says so", async () => {
  await using partition = redis.open();
  const { feed } = openFeed(partition, {
    openLink: () => Promise.reject(new Error("connect ECONNREFUSED")),
  });
  await using _ = feed;
  await assert.rejects(feed.online(AbortSignal.timeout(5_000)), /ECONNREFUSED/);
  const never = openFeed(partition, { openLink: () => new Promise(() => {}) }).feed;
  const late = new AbortController();
  const waiting = never.online(late.signal);
  late.abort(new Error("too late"));
  await assert.rejects(waiting, /too late/);
});

Deno.test("Feed.online() outlives a link that is lost while it waits", async () => {
  await using partition = redis.open();
  let attempts = 0;
  const { feed } = openFeed(partition, {
    openLink: (events) =>
      attempts++ === 0 ? Promise.reject(new Error("lost")) : partition.node.openFeedLink(events),
  });
  await using _ = feed;
  await deadline(feed.online(AbortSignal.timeout(5_000)), 5_000);
  assert.equal(attempts, 2);
});
