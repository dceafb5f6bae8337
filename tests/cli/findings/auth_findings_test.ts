import assert from "node:assert/strict";
import { newKey } from "../../../lib/codec/api_key.ts";
import { examineAuth } from "../../../lib/cli/findings/auth_findings.ts";
import { freePort } from "../../../lib/cli/topology/ports.ts";
import { loadConfig } from "../../../lib/config.ts";
import { createShard } from "../../../lib/redis/create_shard.ts";
import { KeyRecords } from "../../../lib/redis/key_records.ts";
import { redisOptionsOf } from "../../_support/partition.ts";
import { shareRedis } from "../../_support/shared_redis.ts";

const redis = shareRedis();

async function found(env: Readonly<Record<string, string>>): Promise<string> {
  const findings = await examineAuth(loadConfig((name) => env[name]));
  return findings.map(({ level, text }) => `${level} ${text}`).join("\n");
}

const NEAR = { HOST: "127.0.0.1" };
const FAR = { HOST: "0.0.0.0" };

Deno.test("examineAuth() warns where nobody or everybody is let in from outside", async () => {
  const open = { RUNNEL_AUTH: "open" };
  assert.match(await found(NEAR), /^note RUNNEL_AUTH is unset/);
  assert.match(await found({ ...NEAR, ...open }), /^note RUNNEL_AUTH=open: whoever/);
  assert.match(await found(FAR), /^warning .*nobody is let in/);
  assert.match(await found({ ...FAR, ...open }), /^warning .*lets nobody in where others/);
  for (const host of [FAR, NEAR]) {
    assert.match(
      await found({ ...host, ...open, RUNNEL_ALLOW_OPEN: "1" }),
      /^warning RUNNEL_AUTH=open: whoever reaches the server/,
    );
  }
});

Deno.test("examineAuth() counts keys in the configuration and in Redis, and writes nothing", async () => {
  const { text: _, ...made } = newKey();
  const key = { ...made, name: "ci", publish: ["**"] };
  const keys = { RUNNEL_AUTH: "keys", REDIS_URL: redis.server.url, RUNNEL_PREFIX: "auth" };
  const jwt = { RUNNEL_AUTH: "jwt,keys", RUNNEL_JWT_SECRET: "s".repeat(32) };
  assert.match(await found(keys), /^warning .*there are none/);
  assert.equal(await redis.cli("DBSIZE"), "0");
  const configured = { ...keys, RUNNEL_KEYS: JSON.stringify([key]) };
  assert.equal(await found(configured), "ok RUNNEL_AUTH lets in: 1 API key");
  await using shard = createShard(redisOptionsOf(redis.server.url));
  const { text: __, ...stored } = newKey();
  await new KeyRecords("auth").keep(shard, {
    id: stored.id,
    at: 1,
    createdAt: 1,
    key: { ...key, ...stored },
  });
  assert.equal(await found(keys), "ok RUNNEL_AUTH lets in: 1 API key");
  assert.equal(
    await found({ ...configured, ...jwt }),
    "ok RUNNEL_AUTH lets in: tokens (JWT), 2 API keys",
  );
});

Deno.test("examineAuth() leaves it to others to say that Redis cannot be asked", async () => {
  const gone = { RUNNEL_AUTH: "keys", REDIS_URL: `redis://127.0.0.1:${freePort()}` };
  assert.equal(await found(gone), "ok RUNNEL_AUTH lets in: API keys");
});
