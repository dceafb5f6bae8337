import assert from "node:assert/strict";
import { parseRedisUrl } from "../../lib/redis/address.ts";
import { inspectRedis } from "../../lib/redis/inspection.ts";
import type { RedisOptions } from "../../lib/redis/options.ts";
import { VisitTimeout } from "../../lib/redis/visit.ts";
import { makeCertificates } from "../../lib/cli/topology/certificates.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { type RedisServer, startRedis } from "../../lib/cli/topology/local_redis.ts";

function optionsOf(url: string, tls?: RedisOptions["tls"]): RedisOptions {
  const address = parseRedisUrl(url);
  const timeouts = { connectTimeoutMs: 1_000, commandTimeoutMs: 1_500 };
  return { address, connections: 1, ...timeouts, ...(tls === undefined ? {} : { tls }) };
}

async function keysOf(redis: RedisServer): Promise<string> {
  return await redis.cli("KEYS", "*");
}

Deno.test("inspectRedis() sees version, role and settings, and takes its trial away again", async () => {
  await using redis = await startRedis({ args: ["--maxmemory-policy", "allkeys-lru"] });
  const seen = await inspectRedis(optionsOf(redis.url), { prefix: "rn" });
  assert.match(seen.version, /^\d+\.\d+\.\d+$/);
  assert.deepEqual([seen.role, seen.mode, seen.loading], ["master", "standalone", false]);
  assert.deepEqual(seen.settings, {
    value: {
      appendonly: "yes",
      appendfsync: "always",
      save: "",
      maxmemoryPolicy: "allkeys-lru",
      minReplicasToWrite: 0,
      minReplicasMaxLag: 10,
    },
  });
  assert.ok("value" in seen.replicationIdInScripts);
  assert.match(seen.replicationIdInScripts.value, /^[0-9a-f]{40}$/);
  assert.ok("value" in seen.roundTripMs && seen.roundTripMs.value > 0);
  assert.equal(await keysOf(redis), "");
});

Deno.test("inspectRedis() says what an ACL user may not do, and goes on", async () => {
  await using redis = await startRedis();
  const rules = ["on", ">secret", "~{rn:*", "&{rn:*", "+@all", "-config", "-info"];
  await redis.cli("ACL", "SETUSER", "narrow", ...rules, "+info", "-config");
  const url = redis.url.replace("://", "://narrow:secret@");
  const narrow = await inspectRedis(optionsOf(url), { prefix: "rn" });
  assert.ok("refused" in narrow.settings && /NOPERM|permission/.test(narrow.settings.refused));
  assert.ok("value" in narrow.roundTripMs);
  const foreign = await inspectRedis(optionsOf(url), { prefix: "other" });
  assert.ok("refused" in foreign.roundTripMs);
});

Deno.test("inspectRedis() works over TLS with an own CA and a client certificate", async () => {
  await using certificates = await makeCertificates();
  await using redis = await startRedis({ tls: { certificates, clientAuth: true } });
  const { ca, client } = certificates;
  const tls = { ca: ca.cert, cert: client.cert, key: client.key };
  const seen = await inspectRedis(optionsOf(redis.url, tls), { prefix: "rn" });
  assert.ok("value" in seen.roundTripMs);
  await assert.rejects(inspectRedis(optionsOf(redis.url), { prefix: "rn" }), /certificate|issuer/i);
});

Deno.test("inspectRedis() fails with the reason where nothing listens, answers or is let in", async () => {
  const look = (url: string) => inspectRedis(optionsOf(url), { prefix: "rn", timeoutMs: 500 });
  await assert.rejects(look(`redis://127.0.0.1:${freePort()}`), /ECONNREFUSED/);
  await using redis = await startRedis({ password: "right" });
  await assert.rejects(look(redis.url.replace("right", "wrong")), /WRONGPASS/);
  await assert.rejects(look(redis.url.replace(":right@", "")), /NOAUTH/);
  redis.pause();
  await assert.rejects(look(redis.url), VisitTimeout);
  redis.resume();
});
