import assert from "node:assert/strict";
import type { FeedLinkEvents } from "../../lib/redis/feed_link.ts";
import { FeedSocket } from "../../lib/redis/feed_socket.ts";
import { redisOptionsOf } from "../_support/partition.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { shareRedis } from "../_support/shared_redis.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { until } from "../_support/until.ts";

const redis = shareRedis();

/** Keeps what a link tells. */
class Ear implements FeedLinkEvents {
  readonly heard: string[] = [];
  closes = 0;

  onMessage(channel: string, payload: string): void {
    this.heard.push(`${channel} ${payload}`);
  }

  onClose(): void {
    this.closes++;
  }
}

Deno.test("FeedSocket hears its channels in order, from the moment each is confirmed", async () => {
  const ear = new Ear();
  const link = await FeedSocket.open(redisOptionsOf(redis.server.url), ear);
  await link.subscribe(["one", "two"]);
  for (const [channel, text] of [["one", "1"], ["two", "2 ü"], ["three", "3"], ["one", "4"]]) {
    await redis.cli("PUBLISH", channel ?? "", text ?? "");
  }
  await until(() => ear.heard.length >= 3);
  assert.deepEqual(ear.heard, ["one 1", "two 2 ü", "one 4"]);
  await link.unsubscribe(["one"]);
  await redis.cli("PUBLISH", "one", "5");
  await redis.cli("PUBLISH", "two", "6");
  await until(() => ear.heard.includes("two 6"));
  assert.ok(!ear.heard.includes("one 5"));
  await link.close();
  await link.close();
  assert.equal(ear.closes, 0, "whoever closes it knows");
});

Deno.test("FeedSocket tells once that it is gone, and never comes back", async () => {
  const ear = new Ear();
  const link = await FeedSocket.open(redisOptionsOf(redis.server.url), ear);
  await link.subscribe(["one"]);
  await redis.cli("CLIENT", "KILL", "TYPE", "pubsub");
  await until(() => ear.closes === 1);
  await assert.rejects(link.subscribe(["two"]), { code: "redis_unavailable" });
  assert.equal(await redis.cli("PUBSUB", "CHANNELS"), "");
  await link.close();
  assert.equal(ear.closes, 1);
});

Deno.test("FeedSocket.open() fails with the reason, and leaves nothing behind", async () => {
  const ear = new Ear();
  const open = (url: string, changes = {}) => FeedSocket.open(redisOptionsOf(url, changes), ear);
  await assert.rejects(open(`redis://127.0.0.1:${freePort()}`), { code: "redis_unavailable" });
  await assert.rejects(open(redis.server.url.replace("://", "://nobody:wrong@")), {
    code: "redis_auth",
  });
  await using proxy = startProxy({ port: redis.server.port });
  proxy.stall();
  await assert.rejects(
    open(`redis://127.0.0.1:${proxy.port}`, { connectTimeoutMs: 100, commandTimeoutMs: 100 })
      .then((link) => link.subscribe(["one"]).finally(() => link.close())),
    { code: "redis_timeout" },
  );
  assert.equal(ear.closes, 0);
});

Deno.test("FeedSocket.subscribe() says that a channel is forbidden", async () => {
  await redis.cli("ACL", "SETUSER", "deaf", "on", ">x", "~*", "&allowed", "+@all");
  const link = await FeedSocket.open(
    redisOptionsOf(redis.server.url.replace("://", "://deaf:x@")),
    new Ear(),
  );
  await link.subscribe(["allowed"]);
  await assert.rejects(link.subscribe(["forbidden"]), { code: "redis_forbidden" });
  await link.close();
});
