import assert from "node:assert/strict";
import { readRecord } from "../../lib/cli/redis/data_folder.ts";
import { isAlive } from "../../lib/cli/redis/process_table.ts";
import { spawnGuarded } from "../../lib/cli/topology/guarded_process.ts";
import { freePort } from "../../lib/cli/topology/ports.ts";
import { taskFlags } from "../_support/task_flags.ts";
import { deadline, until } from "../_support/until.ts";

Deno.test("dev starts the server again when a file changes, and keeps its Redis", async () => {
  const dir = await Deno.makeTempDir({ prefix: "runnel-dev-" });
  const port = freePort();
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`, init);
    assert.ok(response.ok);
    return await response.text();
  };
  await using dev = spawnGuarded({
    command: Deno.execPath(),
    args: ["run", ...taskFlags("dev"), "lib/cli/main.ts", "dev"],
    env: { PORT: `${port}`, RUNNEL_DATA_DIR: `${dir}/data`, NO_COLOR: "1" },
    unset: ["REDIS_URL", "RUNNEL_AUTH", "HOST"],
    stdout: `${dir}/out`,
  });
  const starts = async () => (await Deno.readTextFile(`${dir}/out`)).split("listens on").length - 1;
  await until(() => ask("health/ready"), { timeoutMs: 30_000, what: "the first server" });
  await ask("publish/topic1", { method: "POST", body: "kept" });
  const redis = readRecord(`${dir}/data`)!.pid;

  await Deno.utime("functions/health.ts", new Date(), new Date());
  await until(async () => await starts() === 2, { timeoutMs: 30_000, what: "the second server" });
  await until(() => ask("health/ready"), { timeoutMs: 30_000, what: "its readiness" });
  assert.match(await ask("topics/topic1/messages"), /"kept"/);
  assert.equal(readRecord(`${dir}/data`)!.pid, redis);

  dev.signal("SIGTERM");
  assert.equal((await deadline(dev.status, 10_000, "the end of dev")).code, 0);
  assert.equal(isAlive(redis), false);
  await Deno.remove(dir, { recursive: true });
});
