import keySlot from "cluster-key-slot";
import { Keys } from "./keys.ts";
import type { SlotRange } from "./slots.ts";

/** Under which names something is tried out, where Runnel's own keys and channels are. */
export interface TrialNames {
  readonly token: string;
  readonly key: string;
  readonly channel: string;
  /** Whether the channel is a sharded one. */
  readonly sharded: boolean;
}

/** Names that were tried for slots: whoever has one slot of 16,384 only finds one among so many, but for one time in a thousand. */
const TRIES = 120_000;

/**
 * Makes names for one trial.
 *
 * @param where.slots the slots of the node that it is tried on, where that is one of a Cluster
 * @throws {Error} where no name falls into the slots
 */
export function trialNames(
  prefix: string,
  { db, slots }: { db: number; slots: readonly Pick<SlotRange, "first" | "last">[] | undefined },
): TrialNames {
  const token = crypto.randomUUID();
  if (slots === undefined) {
    const { base, channels } = new Keys({ prefix, partition: 0, db });
    return {
      token,
      key: `${base}:doctor:${token}`,
      channel: `${channels}:p:doctor-${token}`,
      sharded: false,
    };
  }
  const base = baseWithin(prefix, slots);
  return { token, key: `${base}:${token}`, channel: `${base}:p:${token}`, sharded: true };
}

/** A beginning with a hash tag, so that all that is tried falls into one slot. */
function baseWithin(prefix: string, slots: readonly Pick<SlotRange, "first" | "last">[]): string {
  for (let i = 0; i < TRIES; i++) {
    const base = `{${prefix}:doctor-${i}}`;
    const slot = keySlot(base);
    if (slots.some(({ first, last }) => first <= slot && slot <= last)) return base;
  }
  throw new Error("No key is known that falls into the node's slots");
}
