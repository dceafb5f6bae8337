import assert from "node:assert/strict";
import type { TopologyName } from "../../lib/cli/topology/topology.ts";
import { assertBroken } from "../fault/verdict.ts";
import { type ChaosOptions, type ChaosResult, runChaos } from "./chaos.ts";
import { FAULTS } from "./fault_kinds.ts";
import { openGround } from "./ground.ts";
import { formatReport } from "./report.ts";

interface ShortRun extends Partial<Omit<ChaosOptions, "faults" | "ground">> {
  readonly topology: TopologyName;
  readonly faults: readonly string[];
}

/** A run in which each fault is committed at least once where there is time for all. */
async function shortRun({ topology, faults, ...rest }: ShortRun): Promise<ChaosResult> {
  await using ground = await openGround({ name: topology });
  const kinds = FAULTS.filter(({ name }) => faults.includes(name));
  assert.equal(kinds.length, faults.length);
  return await runChaos({ seed: 5, seconds: 8, ...rest, ground, faults: kinds });
}

function assertKept(result: ChaosResult): void {
  const { broken, acknowledged, delivered, worked, delayed } = result;
  assert.deepEqual(broken.slice(0, 12), [], formatReport(result));
  for (const count of [acknowledged, delivered, worked, delayed]) assert.ok(count > 0);
  assert.ok(Object.keys(result.faults).length > 0);
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
      seconds: 12,
      faults: ["kill-primary", "redeploy-instance", "move-partitions"],
    }),
  );
});

Deno.test("chaos on a Sentinel set breaks no promise", async () => {
  assertKept(
    await shortRun({
      topology: "sentinel",
      seconds: 15,
      faults: ["lose-tail", "kill-replica", "kill-sentinel"],
    }),
  );
});

Deno.test("chaos on a Cluster breaks no promise, while slots move", async () => {
  assertKept(
    await shortRun({
      topology: "cluster",
      seconds: 12,
      faults: ["kill-primary", "freeze-instance", "move-slots"],
    }),
  );
});

Deno.test("chaos finds messages that only a lost primary had, where they were said to be replicated", async () => {
  const { broken, gaps } = await shortRun({
    topology: "sentinel",
    seconds: 1,
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
    seconds: 4,
    faults: ["cut", "kill-instance"],
    publishers: { keyOf: () => undefined },
  });
  assertBroken(broken, "stored twice");
});

Deno.test("chaos finds subscribers that come back without their last event id", async () => {
  const { broken } = await shortRun({
    topology: "single",
    seconds: 1,
    faults: ["kill-instance"],
    watchers: { resumes: false },
  });
  assertBroken(broken, "missed");
});
