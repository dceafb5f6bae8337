import assert from "node:assert/strict";
import type { RedisTls } from "../../lib/redis/options.ts";
import { type Certificates, makeCertificates } from "../../lib/cli/topology/certificates.ts";
import { Listener, openFeed } from "../_support/feed_listener.ts";
import { Partition } from "../_support/partition.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";

let certificates: Certificates;
let redis: RedisServer;

Deno.test.beforeAll(async () => {
  certificates = await makeCertificates({ serverName: "redis.test" });
  redis = await startRedis({ appendonly: false, tls: { certificates, clientAuth: true } });
});
Deno.test.afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
});

const own = () => ({ cert: certificates.client.cert, key: certificates.client.key });

/** What opening a partition and its feed with this material ends in; each code once. */
async function tryWith(tls: RedisTls | undefined, url = redis.url): Promise<string> {
  const options = { connectTimeoutMs: 400, ...(tls === undefined ? {} : { tls }) };
  await using partition = new Partition(url, { redis: options });
  const outcomes = await Promise.allSettled([
    partition.publishOne("a"),
    partition.node.openFeedLink({ onMessage: () => {}, onClose: () => {} })
      .then((link) => link.subscribe(["a"]).finally(() => link.close())),
  ]);
  const codes = outcomes.map((one) => one.status === "fulfilled" ? "ok" : one.reason.code);
  return [...new Set(codes)].sort().join();
}

Deno.test("RedisNode talks TLS with an own authority and a client certificate, feed and all", async () => {
  const tls = { ca: certificates.ca.cert, ...own() };
  await using partition = new Partition(redis.url, { redis: { tls } });
  const { feed } = openFeed(partition);
  await using _ = feed;
  const listener = new Listener(feed, "a");
  await listener.join(partition.store);
  const published = await partition.publishOne("a", "x".repeat(100_000));
  assert.deepEqual(await listener.count(1), [published]);
});

Deno.test("RedisNode checks the server's name where one is given", async () => {
  const ca = certificates.ca.cert;
  assert.equal(await tryWith({ ca, ...own(), servername: "redis.test" }), "ok");
  assert.equal(await tryWith({ ca, ...own(), servername: "other.test" }), "redis_tls");
});

Deno.test("RedisNode says that it is TLS which fails, and lives on", async (t) => {
  await t.step("without the authority", async () => {
    assert.equal(await tryWith(own()), "redis_tls");
  });
  await t.step("without a client certificate", async () => {
    // whether the alert or the end of the link is seen first is the system's to say
    const codes = await tryWith({ ca: certificates.ca.cert });
    assert.match(codes, /^(redis_tls|redis_unavailable|redis_tls,redis_unavailable)$/);
  });
  await t.step("with a key that is not the certificate's", async () => {
    const { client, server, ca } = certificates;
    const tls = { ca: ca.cert, cert: client.cert, key: server.key };
    assert.match(await tryWith(tls), /^redis_/);
  });
  await t.step("with plain TCP to a TLS port", async () => {
    assert.match(await tryWith(undefined, redis.url.replace("rediss", "redis")), /^redis_/);
  });
});

Deno.test("RedisNode says so where it talks TLS to a plain port", async () => {
  await using plain = await startRedis({ appendonly: false });
  const code = await tryWith({ ca: certificates.ca.cert }, plain.url.replace("redis:", "rediss:"));
  assert.match(code, /^redis_(tls|unavailable|timeout)/);
});
