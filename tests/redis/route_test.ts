import assert from "node:assert/strict";
import { type Detour, DetourFailure, RedisFailure } from "../../lib/redis/failure.ts";
import type { FeedLink, FeedLinkEvents } from "../../lib/redis/feed_link.ts";
import type { RedisNode } from "../../lib/redis/node.ts";
import { Route, type RouteOptions } from "../../lib/redis/route.ts";
import type { Shard } from "../../lib/redis/shard.ts";

/** A node that answers its calls with what it was given, one after the other, and then with its name. */
class FakeNode {
  readonly links: FeedLinkEvents[] = [];
  calls = 0;

  constructor(readonly name: string, readonly answers: (Error | string)[] = []) {}

  write(): Promise<string> {
    this.calls++;
    const answer = this.answers.shift() ?? this.name;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  }

  openFeedLink(events: FeedLinkEvents): Promise<FeedLink> {
    this.links.push(events);
    const done = () => Promise.resolve();
    return Promise.resolve({ subscribe: done, unsubscribe: done, close: done });
  }
}

/** A shard whose node can be replaced. */
class FakeShard implements Shard {
  readonly url = "redis://fake/0";
  readonly db = 0;
  readonly sharded = false;
  readonly elected = false;
  readonly heeded: RedisFailure[] = [];

  constructor(public node: FakeNode) {}

  nodeOf(): Promise<RedisNode> {
    // what a route uses of a node
    return Promise.resolve(this.node as unknown as RedisNode);
  }

  heed(failure: RedisFailure): void {
    this.heeded.push(failure);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve();
  }
}

const MOVED: Detour = { kind: "moved", shard: "b", token: "t", url: "redis://b/0" };

function detour(kind: Detour): DetourFailure {
  return new DetourFailure(kind, new Error("refused"));
}

function open(shard: Shard, options: Partial<RouteOptions> = {}): Route {
  const follow = () => Promise.reject(new Error("nobody moved"));
  const renew = () => Promise.reject(new Error("nothing is coming"));
  const onSplit = () => assert.fail("nothing was split");
  return new Route({ key: "k", shard, follow, renew, onSplit, ...options });
}

function write(route: Route): Promise<string> {
  // the fake nodes answer by themselves
  return route.write(() => Promise.resolve(""));
}

Deno.test("Route makes a call again that a closed partition refused", async () => {
  const node = new FakeNode("a", [detour({ kind: "wait" }), detour({ kind: "wait" })]);
  assert.equal(await write(open(new FakeShard(node))), "a");
  assert.equal(node.calls, 3);
});

Deno.test("Route follows a partition that has moved, and stays there", async () => {
  const a = new FakeShard(new FakeNode("a", [detour(MOVED)]));
  const b = new FakeShard(new FakeNode("b"));
  const asked: Detour[] = [];
  const route = open(a, { follow: (to) => Promise.resolve((asked.push(to), b)) });
  assert.deepEqual([await write(route), await write(route)], ["b", "b"]);
  assert.deepEqual(asked, [MOVED]);
  assert.equal(route.shard, b);
});

Deno.test("Route reads where a partition is that is on its way back", async () => {
  const a = new FakeShard(new FakeNode("a", [detour({ kind: "coming" })]));
  const b = new FakeShard(new FakeNode("b"));
  const route: Route = open(a, {
    renew: () => {
      route.shard = b;
      return Promise.resolve();
    },
  });
  assert.equal(await write(route), "b");
});

Deno.test("Route never makes a call again that may have been done", async () => {
  for (const outcome of ["unknown", "refused"] as const) {
    const failure = new RedisFailure("redis_timeout", "Redis does not answer", { outcome });
    const shard = new FakeShard(new FakeNode("a", [failure]));
    await assert.rejects(write(open(shard)), failure);
    assert.equal(shard.node.calls, 1);
    assert.deepEqual(shard.heeded, [failure]);
  }
});

Deno.test("Route makes a call that was never sent where another node has the partition by now", async () => {
  const unsent = new RedisFailure("redis_unavailable", "gone", { outcome: "unsent" });
  const next = new FakeNode("promoted");
  const shard = new FakeShard(new FakeNode("dead", [unsent]));
  shard.heed = () => void (shard.node = next);
  assert.equal(await write(open(shard)), "promoted");
});

Deno.test("Route says at once that a call was never sent where no other node has the partition", async () => {
  const unsent = new RedisFailure("redis_unavailable", "gone", { outcome: "unsent" });
  const shard = new FakeShard(new FakeNode("dead", [unsent]));
  await assert.rejects(write(open(shard)), unsent);
  assert.equal(shard.node.calls, 1);
});

Deno.test("Route tells of a split, and gives the call back to whoever knows the topics", async () => {
  let told = 0;
  const split = detour({ kind: "split", partitions: 4 });
  const route = open(new FakeShard(new FakeNode("a", [split])), { onSplit: () => void told++ });
  await assert.rejects(write(route), { code: "partition_split" });
  assert.equal(told, 1);
});

Deno.test("Route tells a caller of a partition that stays closed, after a while", async () => {
  const closed = Array.from({ length: 10_000 }, () => detour({ kind: "wait" }));
  const start = performance.now();
  await assert.rejects(write(open(new FakeShard(new FakeNode("a", closed)))), {
    code: "partition_closed",
    retryable: true,
  });
  assert.ok(performance.now() - start >= 1_000);
});

Deno.test("Route loses a feed's link where another node has the partition by now", async () => {
  const shard = new FakeShard(new FakeNode("a"));
  const route = open(shard);
  const lost = Promise.withResolvers<void>();
  const heard: string[] = [];
  await route.openFeedLink({
    onMessage: (_, payload) => void heard.push(payload),
    onClose: lost.resolve,
  });
  const [link] = shard.node.links;
  link?.onMessage("c", "1");
  shard.node = new FakeNode("b");
  await write(route);
  await lost.promise;
  link?.onMessage("c", "2");
  assert.deepEqual(heard, ["1"]);
});
