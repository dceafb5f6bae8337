import assert from "node:assert/strict";
import { Connection } from "../../lib/redis/connection.ts";
import { RedisFailure } from "../../lib/redis/failure.ts";
import { redisOptionsOf } from "../_support/partition.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { deadline, until } from "../_support/until.ts";

const ping = (connection: Connection) => connection.run((client) => client.ping());

Deno.test("Connection waits for its first link, and comes back after each loss", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  proxy.down();
  await using connection = new Connection(redisOptionsOf(`redis://127.0.0.1:${proxy.port}`));
  const first = ping(connection);
  // the port is free again a moment after it was closed
  const [pong] = await Promise.all([first, until(() => (proxy.up(), true))]);
  assert.equal(pong, "PONG");
  for (let i = 0; i < 3; i++) {
    proxy.cutAll();
    await until(() => ping(connection));
  }
});

Deno.test("Connection fails in time with the reason where there is no Redis", async () => {
  const options = redisOptionsOf(`redis://127.0.0.1:${freePort()}`, { connectTimeoutMs: 150 });
  await using connection = new Connection(options);
  await assert.rejects(ping(connection), { code: "redis_unavailable", outcome: "unsent" });
  await using socket = new Connection(
    redisOptionsOf("unix:/nowhere/redis.sock", { connectTimeoutMs: 150 }),
  );
  await assert.rejects(ping(socket), { code: "redis_unavailable", outcome: "unsent" });
});

Deno.test("Connection talks over a unix socket and to a logical database", async () => {
  await using redis = await startRedis({ appendonly: false, socket: true, password: "p@ss/word" });
  await using connection = new Connection(redisOptionsOf(`${redis.url}?db=3`));
  await connection.run((client) => client.set("k", "v"));
  assert.equal(await redis.cli("-n", "3", "GET", "k"), "v");
});

Deno.test("Connection drops a link on which no reply comes, so that a late one is nobody else's", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  const url = `redis://127.0.0.1:${proxy.port}`;
  await using connection = new Connection(redisOptionsOf(url, { commandTimeoutMs: 100 }));
  await connection.run((client) => client.set("a", "of a"));
  proxy.stall();
  await assert.rejects(connection.run((client) => client.get("a")), {
    code: "redis_timeout",
    outcome: "unknown",
  });
  proxy.unstall();
  await redis.cli("SET", "b", "of b");
  assert.equal(await until(() => connection.run((client) => client.get("b"))), "of b");
});

Deno.test("Connection says that Redis does not answer to whoever waits on a link that is dropped for its silence", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  const url = `redis://127.0.0.1:${proxy.port}`;
  await using connection = new Connection(redisOptionsOf(url));
  await until(() => ping(connection));
  proxy.stall();
  const waiting = connection.run((client) => client.get("a"));
  const late = setTimeout(() => connection.reset(), 20);
  await assert.rejects(waiting, { code: "redis_timeout", outcome: "unknown" });
  clearTimeout(late);
  proxy.unstall();
});

Deno.test("Connection does not know what became of a command whose reply was cut off, and sends it once", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  await using connection = new Connection(redisOptionsOf(`redis://127.0.0.1:${proxy.port}`));
  await ping(connection);
  const { done } = proxy.cutAfterRequest(/INCR/i);
  const lost = connection.run((client) => client.incr("n"));
  await assert.rejects(lost, { code: "redis_unavailable", outcome: "unknown" });
  await done;
  await until(() => ping(connection));
  assert.equal(await redis.cli("GET", "n"), "1");
});

Deno.test("Connection says why it is not let in, and is let in when that changes", async () => {
  await using redis = await startRedis({ appendonly: false, password: "right" });
  const url = redis.url.replace("right", "wrong");
  await using connection = new Connection(redisOptionsOf(url, { connectTimeoutMs: 300 }));
  await assert.rejects(ping(connection), (error: unknown) => {
    assert.ok(error instanceof RedisFailure);
    assert.deepEqual([error.code, error.outcome], ["redis_auth", "unsent"]);
    assert.doesNotMatch(error.message, /wrong|right/);
    return true;
  });
  await redis.cli("ACL", "SETUSER", "default", ">wrong");
  await until(() => ping(connection));
});

Deno.test("Connection takes nothing after it was closed, and lets go of who waits", async () => {
  const options = redisOptionsOf(`redis://127.0.0.1:${freePort()}`, { connectTimeoutMs: 10_000 });
  const connection = new Connection(options);
  const waiting = assert.rejects(ping(connection));
  await connection[Symbol.asyncDispose]();
  await waiting;
  await assert.rejects(ping(connection), { outcome: "unsent" });
  connection.reset();
});

/** Fails a few times in a row, each soon. */
async function failsSoon(connection: Connection, code: string): Promise<void> {
  for (let i = 0; i < 5; i++) {
    await assert.rejects(deadline(ping(connection), 300, "a call to fail"), {
      code,
      outcome: "unsent",
    });
  }
}

/** Waits until a call fails sooner than one that waits for a link. */
async function untilAway(connection: Connection, ms: number): Promise<void> {
  await until(async () => {
    const begin = performance.now();
    const failed = await ping(connection).then(() => false, () => true);
    return failed && performance.now() - begin < ms / 2;
  }, { what: "a call that fails soon" });
}

Deno.test("Connection fails calls soon where Redis stays away, and makes them again when it is back", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using connection = new Connection(redisOptionsOf(redis.url));
  await ping(connection);
  for (let i = 0; i < 2; i++) {
    await redis.kill9();
    await untilAway(connection, 1_000);
    await failsSoon(connection, "redis_unavailable");
    await redis.restart();
    await until(() => ping(connection));
  }
});

Deno.test("Connection lets a call wait for a Redis that is away for a moment", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using connection = new Connection(redisOptionsOf(redis.url, { connectTimeoutMs: 8_000 }));
  await ping(connection);
  await redis.kill9();
  let failures = 0;
  const counting = (error: unknown) => {
    failures++;
    throw error;
  };
  // those that fail before the loss is noticed were on the old link
  const waiting = until(() => ping(connection).catch(counting), { everyMs: 1 });
  await Promise.all([waiting, redis.restart()]);
  assert.ok(failures <= 5, `${failures} calls failed`);
});

Deno.test("Connection fails calls soon where Redis takes links and says nothing", async () => {
  await using redis = await startRedis({ appendonly: false });
  const times = { connectTimeoutMs: 400, commandTimeoutMs: 400 };
  await using connection = new Connection(redisOptionsOf(redis.url, times));
  await ping(connection);
  redis.pause();
  await untilAway(connection, 400);
  await failsSoon(connection, "redis_timeout");
  redis.resume();
  await until(() => ping(connection));
});
