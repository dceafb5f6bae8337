import assert from "node:assert/strict";
import type { FeedLink, FeedLinkEvents } from "../../lib/redis/feed_link.ts";
import { SharedFeed } from "../../lib/redis/shared_feed.ts";

/** A connection that remembers what it was asked. */
class FakeSocket implements FeedLink {
  readonly said: string[] = [];

  constructor(readonly events: FeedLinkEvents) {}

  subscribe(channels: readonly string[]): Promise<void> {
    this.said.push(`+${channels.join(",")}`);
    return Promise.resolve();
  }

  unsubscribe(channels: readonly string[]): Promise<void> {
    this.said.push(`-${channels.join(",")}`);
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.said.push("closed");
    return Promise.resolve();
  }
}

/** A feed's side that remembers what it was told. */
function listener() {
  const told: string[] = [];
  const events: FeedLinkEvents = {
    onMessage: (channel, payload) => void told.push(`${channel}:${payload}`),
    onClose: () => void told.push("lost"),
  };
  return { told, events };
}

function openFake() {
  const sockets: FakeSocket[] = [];
  const feed = new SharedFeed((events) => {
    const socket = new FakeSocket(events);
    sockets.push(socket);
    return Promise.resolve(socket);
  });
  return { feed, sockets };
}

Deno.test("SharedFeed has one connection, and gives each link what comes on its own channels", async () => {
  const { feed, sockets } = openFake();
  const [a, b] = [listener(), listener()];
  const links = await Promise.all([feed.open(a.events), feed.open(b.events)]);
  await links[0].subscribe(["x"]);
  await links[1].subscribe(["y"]);
  assert.equal(sockets.length, 1);
  sockets[0]?.events.onMessage("x", "1");
  sockets[0]?.events.onMessage("y", "2");
  sockets[0]?.events.onMessage("z", "3");
  assert.deepEqual([a.told, b.told], [["x:1"], ["y:2"]]);
  await feed[Symbol.asyncDispose]();
});

Deno.test("SharedFeed unsubscribes a link that leaves, and hangs up with the last one", async () => {
  const { feed, sockets } = openFake();
  const [a, b] = [listener(), listener()];
  const first = await feed.open(a.events);
  const second = await feed.open(b.events);
  await first.subscribe(["x"]);
  await first.close();
  assert.deepEqual(sockets[0]?.said, ["+x", "-x"]);
  await second.close();
  assert.deepEqual(sockets[0]?.said.at(-1), "closed");
  assert.deepEqual([a.told, b.told], [[], []]);
  await feed.open(a.events);
  assert.equal(sockets.length, 2);
  await feed[Symbol.asyncDispose]();
});

Deno.test("SharedFeed loses all links with the connection, and opens another for the next", async () => {
  const { feed, sockets } = openFake();
  const [a, b] = [listener(), listener()];
  await feed.open(a.events);
  await feed.open(b.events);
  sockets[0]?.events.onClose();
  assert.deepEqual([a.told, b.told], [["lost"], ["lost"]]);
  await feed.open(a.events);
  assert.equal(sockets.length, 2);
  await feed[Symbol.asyncDispose]();
});

Deno.test("SharedFeed hangs up for everybody where one link finds it dead", async () => {
  const { feed, sockets } = openFake();
  const [a, b] = [listener(), listener()];
  const first = await feed.open(a.events);
  await feed.open(b.events);
  await first.close({ dead: true });
  assert.deepEqual(b.told, ["lost"]);
  assert.equal(sockets[0]?.said.at(-1), "closed");
});

Deno.test("SharedFeed says why no connection can be had, and tries anew the next time", async () => {
  let tries = 0;
  const feed = new SharedFeed((events) => {
    if (++tries === 1) return Promise.reject(new Error("connect ECONNREFUSED"));
    return Promise.resolve(new FakeSocket(events));
  });
  await assert.rejects(feed.open(listener().events), /ECONNREFUSED/);
  await feed.open(listener().events);
  assert.equal(tries, 2);
  await feed[Symbol.asyncDispose]();
});
