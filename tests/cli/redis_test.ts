import assert from "node:assert/strict";
import { isAlive } from "../../lib/cli/redis/process_table.ts";
import { publish } from "../_support/http.ts";
import { openRunnel } from "../_support/open_runnel.ts";
import { deadline, until } from "../_support/until.ts";
import { startCli } from "./background_cli.ts";
import { runCli } from "./run_cli.ts";

interface Started {
  readonly env: { readonly REDIS_URL: string } & Readonly<Record<string, string>>;
  readonly servers: readonly { part: string; port: number; pid: number }[];
}

for (
  const [name, parts] of [
    ["single", { primary: 1 }],
    ["tls", { primary: 1 }],
    ["shards", { primary: 2 }],
    ["sentinel", { primary: 1, replica: 2, sentinel: 3 }],
    ["cluster", { primary: 3, replica: 3 }],
  ] as const
) {
  Deno.test(`redis ${name} prints what leads Runnel there, and ends all of it when it is stopped`, async () => {
    const more = name === "shards" ? ["--shards", "2"] : ["--password", 'it\'s "secret"'];
    await using cli = await startCli(["redis", name, "--json", ...more]);
    const text = await until(() => cli.stdout(), { timeoutMs: 30_000, what: "the variables" });
    // what the command says it prints
    const { env: { REDIS_URL: redisUrl, ...env }, servers } = JSON.parse(text) as Started;
    const counts: Record<string, number> = {};
    for (const { part } of servers) counts[part] = (counts[part] ?? 0) + 1;
    assert.deepEqual(counts, parts);
    {
      await using runnel = await openRunnel({ redisUrl, env });
      assert.equal((await publish(runnel.url, { topic: "t", data: 1 })).status, 200);
    }
    cli.signal("SIGINT");
    assert.equal(await deadline(cli.code, 10_000, "the end"), 0);
    await until(() => servers.every(({ pid }) => !isAlive(pid)), { what: "the servers' end" });
    if (env.REDIS_TLS_CA !== undefined) await assert.rejects(Deno.stat(env.REDIS_TLS_CA));
  });
}

Deno.test("redis prints lines for a shell, and what it started beside them", async () => {
  await using cli = await startCli(["redis", "single", "--password", "it's"]);
  const lines = (await until(() => cli.stdout(), { timeoutMs: 30_000 })).trim().split("\n");
  assert.match(lines[0] ?? "", /^export REDIS_URL=redis:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(lines[1], `export REDIS_PASSWORD='it'\\''s'`);
  assert.match(await until(() => cli.stderr()), /primary {2}127\.0\.0\.1:\d+ {2}process \d+/);
});

Deno.test("redis says what can be started where it is asked for something else", async () => {
  const { code, stderr } = await runCli(["redis", "triple"]);
  assert.equal(code, 2);
  assert.match(stderr, /single\|tls\|sentinel\|cluster\|shards/);
});
