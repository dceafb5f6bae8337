import assert from "node:assert/strict";
import { startRedis } from "../../../lib/cli/topology/local_redis.ts";
import { readHistory } from "../../_support/history.ts";
import { publishId } from "../../_support/http.ts";
import { openRunnel } from "../../_support/open_runnel.ts";
import { reshardTo } from "../../_support/reshard.ts";
import { until } from "../../_support/until.ts";

Deno.test("a partition does not move to a Redis whose replica lacks the copy", async () => {
  const args = ["--repl-diskless-sync-delay", "0"];
  await using from = await startRedis();
  await using to = await startRedis({ args });
  await using replica = await startRedis({
    args: [...args, "--replicaof", "127.0.0.1", `${to.port}`],
  });
  await until(async () => (await to.cli("INFO", "replication")).includes("state=online"));
  await using runnel = await openRunnel({
    redisUrl: from.url,
    env: { RUNNEL_PARTITIONS: "1" },
  });
  await publishId(runnel.url, { topic: "t", data: 1 });
  replica.pause();
  const said: string[] = [];
  const moving = reshardTo({ from: [from.url], to: [to.url], said });
  await until(() => said.some((text) => text.includes("do not keep up")), { timeoutMs: 30_000 });
  assert.equal(await from.cli("HGET", "{rn:0}:meta", "state"), "open");
  replica.resume();
  assert.equal((await moving).moved, 1);
  assert.equal(await from.cli("HGET", "{rn:0}:meta", "state"), "moved");
  assert.equal(await replica.cli("XLEN", "{rn:0}:t:t"), "1");
  await publishId(runnel.url, { topic: "t", data: 2 });
  assert.deepEqual((await readHistory(runnel.url, "t")).map(({ data }) => data), [1, 2]);
});
