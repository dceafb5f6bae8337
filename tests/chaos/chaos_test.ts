import assert from "node:assert/strict";
import { startRedis } from "../../lib/cli/topology/local_redis.ts";
import type { TopologyName } from "../../lib/cli/topology/topology.ts";
import { taskFlags } from "../_support/task_flags.ts";
import { assertBroken } from "../fault/verdict.ts";
import { type ChaosOptions, type ChaosResult, runChaos } from "./chaos.ts";
import { commandFault, FAULTS, faultsFor } from "./fault_kinds.ts";
import { openGround } from "./ground.ts";
import { formatReport } from "./report.ts";

interface ShortRun extends Partial<Omit<ChaosOptions, "faults" | "ground">> {
  readonly topology: TopologyName;
  readonly faults: readonly string[];
}

/** A run in which each fault is committed once. */
async function shortRun({ topology, faults, ...rest }: ShortRun): Promise<ChaosResult> {
  await using ground = await openGround({ name: topology });
  const kinds = FAULTS.filter(({ name }) => faults.includes(name));
  assert.equal(kinds.length, faults.length);
  const result = await runChaos({ seed: 5, seconds: 1, ...rest, ground, faults: kinds });
  assert.deepEqual(Object.keys(result.faults).sort(), [...faults].sort());
  return result;
}

function assertKept(result: ChaosResult): void {
  const { broken, acknowledged, delivered, worked, delayed } = result;
  assert.deepEqual(broken.slice(0, 12), [], formatReport(result));
  for (const count of [acknowledged, delivered, worked, delayed]) assert.ok(count > 0);
}

Deno.test("chaos on one Redis breaks no promise", async () => {
  assertKept(
    await shortRun({ topology: "single", faults: ["kill-primary", "cut", "kill-instance"] }),
  );
});

Deno.test("chaos on a Redis with TLS breaks no promise", async () => {
  assertKept(await shortRun({ topology: "tls", faults: ["kill-primary", "cut", "stall"] }));
});

Deno.test("chaos on shards breaks no promise, while partitions move", async () => {
  assertKept(
    await shortRun({
      topology: "shards",
      faults: ["kill-primary", "redeploy-instance", "move-partitions"],
    }),
  );
});

Deno.test("chaos on a Sentinel set breaks no promise", async () => {
  assertKept(
    await shortRun({
      topology: "sentinel",
      faults: ["lose-tail", "kill-replica", "kill-sentinel"],
    }),
  );
});

Deno.test("chaos on a Cluster breaks no promise, while slots move", async () => {
  assertKept(
    await shortRun({
      topology: "cluster",
      faults: ["kill-primary", "freeze-instance", "move-slots"],
    }),
  );
});

Deno.test("chaos on one's own Redis breaks what it is told to, and leaves no topic or group there", async () => {
  await using redis = await startRedis();
  await using ground = await openGround({ name: "own", env: { REDIS_URL: redis.url } });
  const cut = `redis-cli -p ${redis.port} CLIENT KILL TYPE normal SKIPME yes`;
  const kinds = [...faultsFor(ground), commandFault(cut)];
  const result = await runChaos({ ground, seed: 5, seconds: 1, faults: kinds });
  assertKept(result);
  assert.equal(result.durability, "stored");
  assert.equal(result.faults.command, 1);
  assert.equal(await redis.cli("--scan", "--pattern", "*:t:chaos-*"), "");
  assert.equal(await redis.cli("HLEN", "{rn:0}:pg"), "0");
});

Deno.test("chaos says so where a command of one's own fails", async () => {
  await using redis = await startRedis();
  await using ground = await openGround({ name: "own", env: { REDIS_URL: redis.url } });
  const wrong = commandFault("echo it cannot be mended >&2; false");
  await assert.rejects(runChaos({ ground, seed: 5, seconds: 1, faults: [wrong] }), /be mended/);
});

Deno.test("deno task chaos ends with 1 where a promise was broken, and its table says which", async () => {
  await using redis = await startRedis({ appendonly: false });
  const each = "for _, k in ipairs(redis.call('KEYS', '*:t:*'))";
  const script = `${each} do redis.pcall('XTRIM', k, 'MAXLEN', 0) end`;
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", ...taskFlags("chaos"), "tests/chaos/main.ts"],
      ...["--topology", "own", "--seconds", "1"],
      ...["--faults", "command", "--command", `redis-cli -p ${redis.port} EVAL "${script}" 0`],
    ],
    env: { REDIS_URL: redis.url },
    stderr: "null",
  }).output();
  const table = new TextDecoder().decode(stdout);
  assert.match(table, /^lost +[1-9]/m);
  assert.match(table, /^broken promises +[1-9]/m);
  assert.equal(code, 1);
});

Deno.test("chaos finds messages that only a lost primary had, where they were said to be replicated", async () => {
  const { broken, gaps } = await shortRun({
    topology: "sentinel",
    faults: ["lose-tail"],
    durability: "replicated",
    publishers: { durability: "stored" },
  });
  assertBroken(broken, "lost");
  assert.deepEqual(broken.filter(({ kind }) => kind !== "lost"), [], "what was seen is announced");
  assert.ok(gaps > 0);
});

Deno.test("chaos finds publishers without idempotency keys", async () => {
  const { broken } = await shortRun({
    topology: "single",
    seconds: 6,
    faults: ["cut", "kill-instance"],
    publishers: { keyOf: () => undefined },
  });
  assertBroken(broken, "stored twice");
});

Deno.test("chaos finds subscribers that come back without their last event id", async () => {
  const { broken } = await shortRun({
    topology: "single",
    faults: ["kill-instance"],
    watchers: { resumes: false },
  });
  assertBroken(broken, "missed");
});
