/** Moving what topics are stored in, while they are in use. */
import keySlot from "cluster-key-slot";
import { moveSlot, ownerOf } from "../../lib/cli/topology/move_slot.ts";
import { partitionOf } from "../../lib/codec/partition_of.ts";
import { reshardThroughKills } from "../fault/coordinator.ts";
import type { FaultStage } from "./fault_kinds.ts";

/** Moves the slots of some topics to other primaries of the Cluster. */
export async function moveSlots({ ground, topics, random }: FaultStage): Promise<void> {
  const primaries = await ground.data("master");
  const { partitions = 1 } = ground;
  for (const topic of topics) {
    if (random() < 0.5) continue;
    const slot = keySlot(`{rn:${partitionOf(topic, partitions)}/${partitions}}`);
    const from = await ownerOf(slot, primaries);
    const others = primaries.filter((one) => one !== from);
    const to = others[Math.floor(random() * others.length)];
    if (from === undefined || to === undefined) continue;
    await moveSlot({ slot, from, to, primaries });
  }
}

/** Spreads the partitions over some of the shards; the command is killed up to twice before it may finish. */
export async function movePartitions({ ground, random }: FaultStage): Promise<void> {
  const { env } = ground.topology ?? {};
  const all = env?.REDIS_URL.split(" ") ?? [];
  const some = all.filter(() => random() < 0.5);
  const to = some.length > 0 ? some : all;
  const kills = Math.floor(random() * 3);
  await reshardThroughKills({ env: { ...env }, to, kills, random });
}
