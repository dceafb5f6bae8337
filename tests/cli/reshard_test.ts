import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import { startTopology } from "../../lib/cli/topology/start_topology.ts";
import { publishId } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { runCli } from "./run_cli.ts";

async function reshard(from: string, ...args: string[]) {
  const { code, stdout, stderr } = await runCli(["reshard", ...args], { env: { REDIS_URL: from } });
  return { code, said: stdout + stderr };
}

Deno.test("reshard asks for where topics are to be", async () => {
  const { code, said } = await reshard("redis://127.0.0.1:1");
  assert.equal(code, 2);
  assert.match(said, /--to is missing/);
  assert.match(said, /For example: deno task reshard --to/);
});

Deno.test("reshard names the option that cannot be read, and repeats no password", async () => {
  const wrong = await reshard("redis://127.0.0.1:1", "--to", "http://:s3cr3t@h");
  assert.equal(wrong.code, 2);
  assert.match(wrong.said, /--to: Not a Redis URL/);
  assert.doesNotMatch(wrong.said, /s3cr3t/);
  const odd = await reshard("redis://127.0.0.1:1", "--to", "redis://h", "--partitions", "3");
  assert.equal(odd.code, 2);
  assert.match(odd.said, /--partitions: .*power of two/);
});

Deno.test("reshard changes nothing where a Redis cannot be reached, and says which and why", async () => {
  await using redis = await startRedis();
  {
    await using runnel = await openRunnel({ redisUrl: redis.url });
    await publishId(runnel.url, { topic: "t", data: 1 });
  }
  const before = await redis.cli("DBSIZE");
  const { code, said } = await reshard(redis.url, "--to", "redis://127.0.0.1:1");
  assert.equal(code, 1);
  assert.match(said, /redis:\/\/127\.0\.0\.1:1\b.*(listens|refused)/);
  assert.match(said, /Nothing has moved/);
  assert.equal(await redis.cli("DBSIZE"), before);
});

Deno.test("reshard does not move topics out of a Cluster", async () => {
  await using cluster = await startTopology("cluster");
  await using redis = await startRedis();
  const from = cluster.env.REDIS_URL;
  {
    await using runnel = await openRunnel({ redisUrl: from });
    await publishId(runnel.url, { topic: "t", data: 1 });
  }
  const { code, said } = await reshard(from, "--to", redis.url);
  assert.notEqual(code, 0);
  assert.match(said, /Cluster/);
  assert.equal(await redis.cli("DBSIZE"), "0");
});

Deno.test("reshard refuses to change the number of partitions that was chosen once", async () => {
  await using topology = await startTopology("shards", { shards: 2 });
  const urls = topology.env.REDIS_URL;
  {
    await using runnel = await openRunnel({ redisUrl: urls });
    await publishId(runnel.url, { topic: "t", data: 1 });
  }
  const { code, said } = await reshard(urls, "--to", urls, "--partitions", "32");
  assert.notEqual(code, 0);
  assert.match(said, /16 partitions/);
  assert.match(said, /Nothing has moved/);
});
