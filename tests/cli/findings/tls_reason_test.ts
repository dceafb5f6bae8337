import assert from "node:assert/strict";
import { serverLink } from "../../../lib/cli/findings/link.ts";
import { linkFailure } from "../../../lib/cli/findings/link_failure.ts";
import { type Certificates, makeCertificates } from "../../../lib/cli/topology/certificates.ts";
import { type RedisServer, startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { parseRedisUrl } from "../../../lib/redis/address.ts";
import { inspectRedis } from "../../../lib/redis/inspection.ts";
import type { RedisTls } from "../../../lib/redis/options.ts";
import { issueDated } from "../../_support/dated_certificate.ts";

let certificates: Certificates;
let foreign: Certificates;
let redis: RedisServer;

Deno.test.beforeAll(async () => {
  [certificates, foreign] = await Promise.all([makeCertificates(), makeCertificates()]);
  redis = await startRedis({ appendonly: false, tls: { certificates, clientAuth: true } });
});
Deno.test.afterAll(async () => {
  await redis[Symbol.asyncDispose]();
  await certificates[Symbol.asyncDispose]();
  await foreign[Symbol.asyncDispose]();
});

/** What doctor says of a Redis that this material does not reach, and that it says so in time. */
async function said(url: string, tls: RedisTls = {}): Promise<string> {
  const address = parseRedisUrl(url);
  const timeouts = { connectTimeoutMs: 1_000, commandTimeoutMs: 1_500 };
  const options = { address, connections: 1, ...timeouts, tls };
  const error = await inspectRedis(options, { prefix: "rn" }).then(
    () => assert.fail(`${url} could be looked at`),
    (error) => error,
  );
  const { level, text, advice } = await linkFailure(error, serverLink(options));
  assert.equal(level, "failure");
  return `${text} → ${advice}`;
}

function material(): { ca: string; cert: string; key: string } {
  const { ca, client } = certificates;
  return { ca: ca.cert, cert: client.cert, key: client.key };
}

/** What is said of a Redis with a certificate that was issued so. */
async function saidOfServer(
  dated: Parameters<typeof issueDated>[1],
  tls: Partial<RedisTls> = {},
): Promise<string> {
  const server = await issueDated(certificates, dated);
  const options = { certificates: { ...certificates, server }, clientAuth: true };
  await using other = await startRedis({ appendonly: false, tls: options });
  return await said(other.url, { ...material(), ...tls });
}

Deno.test("a server's certificate that is not trusted is told by its cause and the variable", async (t) => {
  await t.step("another authority", async () => {
    const text = await said(redis.url, { ...material(), ca: foreign.ca.cert });
    assert.match(text, /not signed by the authority that REDIS_TLS_CA holds/);
    assert.match(text, /→ .*into REDIS_TLS_CA/);
  });
  await t.step("no authority", async () => {
    const { ca: _, ...own } = material();
    assert.match(await said(redis.url, own), /does not know the authority .*→ .*REDIS_TLS_CA/);
  });
  await t.step("expired", async () => {
    const text = await saidOfServer({ fromDay: -3, toDay: -1 });
    assert.match(text, /its certificate expired on .*GMT → Renew it.*REDIS_TLS_CA/);
  });
  await t.step("not valid yet", async () => {
    const text = await saidOfServer({ fromDay: 1, toDay: 3 });
    assert.match(text, /its certificate is not valid before .*GMT → Look at the clocks/);
  });
  await t.step("another name than the address", async () => {
    const text = await saidOfServer({ names: "DNS:redis.internal" });
    assert.match(text, /is for redis\.internal, not for 127\.0\.0\.1 → .*REDIS_TLS_SERVERNAME/);
  });
  await t.step("another name than the one that is asked for", async () => {
    const text = await said(redis.url, { ...material(), servername: "other.example" });
    assert.match(text, /, not for other\.example → .*REDIS_TLS_SERVERNAME/);
  });
});

Deno.test("an authority that has expired is told by the variable that holds it", async () => {
  const ca = await issueDated(foreign, { fromDay: -3, toDay: -1 });
  const text = await said(redis.url, { ...material(), ca: ca.cert });
  assert.match(text, /the authority that REDIS_TLS_CA holds expired on .* → .*REDIS_TLS_CA/);
});

Deno.test("our own certificate that is not accepted is told by its cause and the variables", async (t) => {
  const { ca } = material();
  await t.step("missing", async () => {
    const text = await said(redis.url, { ca });
    assert.match(text, /asks for a client certificate.*→ Set REDIS_TLS_CERT and REDIS_TLS_KEY/);
  });
  await t.step("missing, where TLS 1.2 is spoken", async () => {
    await using older = await startRedis({
      appendonly: false,
      tls: { certificates, clientAuth: true },
      args: ["--tls-protocols", "TLSv1.2"],
    });
    assert.match(await said(older.url, { ca }), /asks for a client certificate/);
  });
  await t.step("of another authority", async () => {
    const { cert, key } = foreign.client;
    const text = await said(redis.url, { ca, cert, key });
    assert.match(text, /does not accept our client certificate → REDIS_TLS_CERT/);
  });
  await t.step("with another key", async () => {
    const text = await said(redis.url, { ...material(), key: foreign.client.key });
    assert.match(text, /do not belong together → REDIS_TLS_KEY.*REDIS_TLS_CERT/);
  });
  await t.step("with a key that cannot be read", async () => {
    const key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    const text = await said(redis.url, { ...material(), key });
    assert.match(text, /the key of our client certificate cannot be read → REDIS_TLS_KEY must/);
  });
  await t.step("expired", async () => {
    const { cert, key } = await issueDated(certificates, { fromDay: -3, toDay: -1 });
    const text = await said(redis.url, { ca, cert, key });
    assert.match(text, /our client certificate expired on .* → .*REDIS_TLS_CERT/);
  });
  await t.step("not valid yet", async () => {
    const { cert, key } = await issueDated(certificates, { fromDay: 1, toDay: 3 });
    const text = await said(redis.url, { ca, cert, key });
    assert.match(text, /our client certificate is not valid before .*REDIS_TLS_CERT/s);
  });
});

Deno.test("TLS to a plain port and plain TCP to a TLS port are told apart, by what to write", async (t) => {
  await t.step("plain TCP to a TLS port", async () => {
    const text = await said(redis.url.replace("rediss:", "redis:"));
    assert.match(text, /it speaks TLS, .*→ Write rediss:\/\/ in place of redis:\/\/ in REDIS_URL/);
  });
  await t.step("TLS to a plain port", async () => {
    await using plain = await startRedis({ appendonly: false, password: "secret" });
    const text = await said(plain.url.replace("redis:", "rediss:"), material());
    assert.match(text, /it speaks no TLS.*→ Write redis:\/\/ in place of rediss:\/\/ in REDIS_URL/);
    assert.ok(!text.includes("secret"));
  });
});

Deno.test("a TLS port that hangs is not taken for one that speaks no TLS", async () => {
  redis.pause();
  try {
    assert.match(await said(redis.url, material()), /nothing answers in time/);
  } finally {
    redis.resume();
  }
});
