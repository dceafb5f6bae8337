import assert from "node:assert/strict";
import { furtherOptions } from "../../lib/redis/further_options.ts";
import { redisOptionsOf } from "../_support/partition.ts";

const TLS = { ca: "authority", cert: "certificate", key: "key" };

Deno.test("furtherOptions() reaches a further Redis with the user, password and certificates of a known one", () => {
  const known = redisOptionsOf("rediss://runnel:secret@a:6379", { tls: TLS });
  const { address, tls, connections } = furtherOptions(known, "rediss://b:6380/0");
  assert.deepEqual([address.host, address.port, address.tls], ["b", 6380, true]);
  assert.deepEqual([address.username, address.password], ["runnel", "secret"]);
  assert.deepEqual([tls, connections], [TLS, known.connections]);
});

Deno.test("furtherOptions() speaks TLS to Sentinels where it does to their Redis, unless the known ones say otherwise", () => {
  const url = "rediss+sentinel://s1:26379/set";
  const alone = redisOptionsOf("rediss://a:6379", { tls: TLS });
  assert.deepEqual(furtherOptions(alone, url).sentinel, { tls: TLS });
  const set = redisOptionsOf("rediss+sentinel://s0:26379/set", {
    tls: TLS,
    sentinel: { password: "watch" },
  });
  assert.deepEqual(furtherOptions(set, url).sentinel, { password: "watch" });
  const plain = redisOptionsOf("redis://a:6379");
  assert.equal(furtherOptions(plain, "redis+sentinel://s1:26379/set").sentinel, undefined);
});
