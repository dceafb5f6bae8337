import assert from "node:assert/strict";
import { serverLink } from "../../../lib/cli/findings/link.ts";
import { linkFailure } from "../../../lib/cli/findings/link_failure.ts";
import { parseRedisUrl } from "../../../lib/redis/address.ts";
import { inspectRedis } from "../../../lib/redis/inspection.ts";
import { freePort } from "../../../lib/cli/topology/ports.ts";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";

/** What doctor would say of a Redis that it cannot look at. */
async function said(url: string): Promise<string> {
  const timeouts = { connectTimeoutMs: 500, commandTimeoutMs: 500 };
  const options = { address: parseRedisUrl(url), connections: 1, ...timeouts };
  try {
    await inspectRedis(options, { prefix: "rn", timeoutMs: 500 });
  } catch (error) {
    const { level, text, advice } = await linkFailure(error, serverLink(options));
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
