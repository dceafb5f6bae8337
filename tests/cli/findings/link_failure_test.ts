import assert from "node:assert/strict";
import { linkFailure } from "../../../lib/cli/findings/link_failure.ts";
import { parseRedisUrl } from "../../../lib/redis/address.ts";
import { inspectRedis } from "../../../lib/redis/inspection.ts";
import type { RedisOptions } from "../../../lib/redis/options.ts";
import { makeCertificates } from "../../../lib/cli/topology/certificates.ts";
import { freePort } from "../../../lib/cli/topology/ports.ts";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";

/** What doctor would say of a Redis that it cannot look at. */
async function said(url: string, tls?: RedisOptions["tls"]): Promise<string> {
  const options: RedisOptions = {
    address: parseRedisUrl(url),
    connections: 1,
    connectTimeoutMs: 500,
    commandTimeoutMs: 500,
    ...(tls === undefined ? {} : { tls }),
  };
  try {
    await inspectRedis(options, { prefix: "rn", timeoutMs: 500 });
  } catch (error) {
    const { level, text, advice } = linkFailure(error, options);
    assert.equal(level, "failure");
    return `${text} → ${advice}`;
  }
  throw new assert.AssertionError({ message: `${url} could be looked at` });
}

Deno.test("linkFailure() says what to do where nothing listens or the name is not known", async () => {
  assert.match(await said(`redis://127.0.0.1:${freePort()}`), /nothing listens there → Start it/);
  assert.match(await said("unix:/nowhere/redis.sock"), /nothing listens there/);
  assert.match(await said("redis://nowhere.invalid"), /name is not known/);
});

Deno.test("linkFailure() names the variables of user and password, and never the password", async () => {
  await using redis = await startRedis({ password: "right" });
  const wrong = await said(redis.url.replace("right", "hidden"));
  assert.match(wrong, /refuses the user name or password → .*REDIS_PASSWORD/);
  assert.ok(!wrong.includes("hidden"));
  assert.match(await said(redis.url.replace(":right@", "")), /REDIS_PASSWORD/);
});

Deno.test("linkFailure() tells a hanging Redis from a missing one", async () => {
  await using redis = await startRedis();
  redis.pause();
  assert.match(await said(redis.url), /nothing answers in time/);
  redis.resume();
});

Deno.test("linkFailure() names the TLS variable that would help", async (t) => {
  await using certificates = await makeCertificates();
  const { ca, client } = certificates;
  await using redis = await startRedis({ tls: { certificates, clientAuth: true } });
  await t.step("for an unknown CA", async () => {
    assert.match(await said(redis.url), /TLS failed .*→ REDIS_TLS_CA/);
  });
  await t.step("for another name", async () => {
    const own = { cert: client.cert, key: client.key };
    const tls = { ca: ca.cert, ...own, servername: "other.example" };
    assert.match(await said(redis.url, tls), /another name → .*REDIS_TLS_SERVERNAME/);
  });
  await t.step("for a client certificate that is missing", async () => {
    assert.match(await said(redis.url, { ca: ca.cert }), /REDIS_TLS_CERT/);
  });
  await t.step("for plain TCP where TLS is spoken", async () => {
    assert.match(await said(redis.url.replace("rediss", "redis")), /rediss:\/\//);
  });
  await t.step("for TLS where plain TCP is spoken", async () => {
    await using plain = await startRedis();
    assert.match(await said(plain.url.replace("redis:", "rediss:")), /redis:\/\/|answers in time/);
  });
});
