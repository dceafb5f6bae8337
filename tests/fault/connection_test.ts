import assert from "node:assert/strict";
import { Connection } from "../../lib/redis/connection.ts";
import { RedisNode } from "../../lib/redis/node.ts";
import { redisOptionsOf } from "../_support/partition.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startProxy } from "../_support/tcp_proxy.ts";
import { deadline, until } from "../_support/until.ts";

Deno.test("Connection is closed in time whatever it does: while it dials in vain, or was dropped and dials anew", async () => {
  const options = redisOptionsOf(`redis://127.0.0.1:${freePort()}`, { connectTimeoutMs: 200 });
  for (const resets of [0, 3]) {
    const connection = new Connection(options);
    for (let i = 0; i <= resets; i++) {
      const work = connection.run((client) => client.ping()).then(() => false, () => true);
      await until(() => work, { what: "a command to be refused" });
      if (i < resets) connection.reset();
    }
    await deadline(connection[Symbol.asyncDispose](), 2_000, "the connection to close");
  }
});

Deno.test("RedisNode.run() replaces the whole pool when one of its links is found dead, not one by one", async () => {
  await using redis = await startRedis({ appendonly: false });
  await using proxy = startProxy({ port: redis.port });
  const url = `redis://127.0.0.1:${proxy.port}`;
  await using node = new RedisNode(redisOptionsOf(url, { connections: 5, commandTimeoutMs: 300 }));
  const ping = () => node.run((client) => client.ping());
  for (let i = 0; i < 4; i++) await ping();
  proxy.stall();
  proxy.unstall({ forget: true });
  await assert.rejects(ping(), { code: "redis_timeout" });
  for (let i = 0; i < 8; i++) assert.equal(await ping(), "PONG");
});
